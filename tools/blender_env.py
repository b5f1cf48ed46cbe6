"""Makes an environment for each Blender that is supported, and runs programs and tests in them.

    python tools/blender_env.py                    tests/blender in every version
    python tools/blender_env.py test 4.2 5.2       in these versions only
    python tools/blender_env.py run SCRIPT ...     a program, in the oldest version there is
    python tools/blender_env.py setup [5.2 ...]    only make what is missing

Blender comes as the module `bpy` from the package index: about 1 GB a version, in
.venv/blender-<version>. A version whose Python is not on this machine is skipped, and said to be.
Exit status of `test` and `setup`: 0 if every version that could be made passed, 1 if one failed, 2
if none could be made; of `run`: the program's own, or 2.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEST_PACKAGES = ("pytest>=8,<10", "av>=14,<19")
TIME_LIMIT_S = 900  # Blender 4.5 can hang at its end


@dataclass(frozen=True)
class Blender:
    """One Blender: what to install, on which Python."""

    version: str
    python: str
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its environment lies."""
        return ROOT / ".venv" / f"blender-{self.version}"

    @property
    def stamp(self) -> Path:
        """Written once everything is installed."""
        return self.folder / "ready.txt"

    @property
    def interpreter(self) -> Path:
        """Its Python."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


BLENDERS = (
    # Blender 4.2 itself has numpy 1.26; its module does not ask for it.
    Blender("4.2", "3.11", ("bpy==4.2.23", "numpy<2")),
    Blender("4.5", "3.11", ("bpy==4.5.15",)),
    Blender("5.0", "3.11", ("bpy==5.0.1",)),
    Blender("5.2", "3.13", ("bpy==5.2.3",)),
)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    known = [each.version for each in BLENDERS]
    for name in ("test", "setup"):
        command = commands.add_parser(name)
        command.add_argument("versions", nargs="*", metavar="VERSION", help=", ".join(known))
    command = commands.add_parser("run")
    command.add_argument("program", nargs=argparse.REMAINDER, metavar="SCRIPT ...")
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(words or ["test"])
    if options.command == "run":
        return run_program(options.program)
    if unknown := sorted(set(options.versions) - set(known)):
        parser.error(f"no Blender {', '.join(unknown)}; there are {', '.join(known)}")
    wanted = [each for each in BLENDERS if not options.versions or each.version in options.versions]
    return run_each(wanted, run_tests if options.command == "test" else lambda _: "ready")


def run_each(wanted: Sequence[Blender], action: Callable[[Blender], str]) -> int:
    """Makes each environment and does `action` in it; tells what came of each."""
    results: dict[str, str] = {}
    for blender in wanted:
        problem = make(blender)
        results[blender.version] = f"SKIPPED: {problem}" if problem else action(blender)
    for version, result in results.items():
        print(f"Blender {version}: {result}", file=sys.stderr, flush=True)
    if all(each.startswith("SKIPPED") for each in results.values()):
        return 2
    return int(any(each.startswith("FAILED") for each in results.values()))


def run_program(program: Sequence[str]) -> int:
    """Runs a program in an environment that is there, else in the first that can be made."""
    problems: list[str] = []
    for blender in sorted(BLENDERS, key=lambda each: not is_ready(each)):
        problem = make(blender)
        if not problem:
            return _run(str(blender.interpreter), *program)
        problems.append(f"Blender {blender.version}: {problem}")
    print("\n".join(["There is no Blender to run in.", *problems]), file=sys.stderr)
    return 2


def make(blender: Blender) -> str:
    """Makes the environment unless it is there; returns why it could not, or nothing."""
    if is_ready(blender):
        return ""
    base = find_python(blender.python)
    if base is None:
        return f"there is no Python {blender.python} on this machine"
    print(f"Making {blender.folder} (about 1 GB)", file=sys.stderr, flush=True)
    if not blender.interpreter.exists() and _run(base, "-m", "venv", str(blender.folder)):
        return "its virtual environment could not be made"
    packages = (*blender.packages, *TEST_PACKAGES)
    if _run(str(blender.interpreter), "-m", "pip", "install", "--quiet", "--no-input", *packages):
        return "pip could not install it"
    blender.stamp.write_text("\n".join(packages), encoding="utf-8")
    return ""


def is_ready(blender: Blender) -> bool:
    """Whether its environment is whole and holds what it should."""
    wanted = "\n".join((*blender.packages, *TEST_PACKAGES))
    return blender.stamp.is_file() and blender.stamp.read_text(encoding="utf-8") == wanted


def find_python(version: str) -> str | None:
    """A Python of `version` that runs: on the path, else among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [
        sys.executable,
        shutil.which(f"python{version}"),
        *sorted(str(each) for each in pyenv.glob(f"{version}.*/bin/python")),
    ]
    probe = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        # A shim may be on the path and yet not run, so each is tried.
        done = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == version:
            return candidate
    return None


def run_tests(blender: Blender) -> str:
    """Runs tests/blender in `blender`; returns what came of it."""
    print(f"Testing in Blender {blender.version}", file=sys.stderr, flush=True)
    command = [str(blender.interpreter), "-W", "error::DeprecationWarning"]
    command += ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/blender"]
    try:
        status = subprocess.run(command, cwd=ROOT, timeout=TIME_LIMIT_S, check=False).returncode
    except subprocess.TimeoutExpired:
        return f"FAILED: took more than {TIME_LIMIT_S} s"
    return "passed" if status == 0 else f"FAILED: exit status {status}"


def _run(*command: str) -> int:
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
