"""Makes an environment for each Blender that is supported and runs the tests in them.

    python tools/blender_env.py                  all versions: make what is missing, run the tests
    python tools/blender_env.py 4.2 5.2          these versions only
    python tools/blender_env.py --python 5.2     only print the Python of that environment

Blender comes as the module `bpy` from the package index: about 1 GB a version, in
.venv/blender-<version>. A version whose Python is not on this machine is skipped, and said to be.
Exit status: 0 if every version that could be made passed, 1 otherwise, 2 if none could be made.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
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
    parser.add_argument("versions", nargs="*", metavar="VERSION")
    parser.add_argument("--python", action="store_true", help="print the interpreter, run nothing")
    parser.add_argument("--setup", action="store_true", help="make the environments, run nothing")
    options = parser.parse_args(arguments)
    known = [each.version for each in BLENDERS]
    if unknown := sorted(set(options.versions) - set(known)):
        parser.error(f"no Blender {', '.join(unknown)}; there are {', '.join(known)}")
    wanted = [each for each in BLENDERS if not options.versions or each.version in options.versions]

    results = {}
    for blender in wanted:
        problem = make(blender)
        if problem:
            results[blender.version] = f"SKIPPED: {problem}"
        elif options.python:
            print(blender.interpreter)
            results[blender.version] = "ready"
        else:
            results[blender.version] = "ready" if options.setup else run_tests(blender)
    for version, result in results.items():
        print(f"Blender {version}: {result}", file=sys.stderr)
    if all(each.startswith("SKIPPED") for each in results.values()):
        return 2
    return int(any(each.startswith("FAILED") for each in results.values()))


def make(blender: Blender) -> str:
    """Makes the environment unless it is there; returns why it could not, or nothing."""
    ready = blender.folder / "ready.txt"
    wanted = "\n".join((*blender.packages, *TEST_PACKAGES))
    if ready.is_file() and ready.read_text(encoding="utf-8") == wanted:
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
    ready.write_text(wanted, encoding="utf-8")
    return ""


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
