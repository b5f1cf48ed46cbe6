"""The environment in .venv: the pinned packages, the backend itself, and the checkers.

Run by make with any Python 3.11 to 3.13; standard library only. A stamp keeps what was installed,
so a second run does nothing; an installation that was cut short has no stamp and is finished.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "installed.sha256"
RUNTIME_LOCK = ROOT / "wheels" / "lock-cpu.txt"
CHECKERS_LOCK = ROOT / "tools" / "lock-checkers.txt"
INPUTS = (
    ROOT / "pyproject.toml",
    ROOT / "blender_manifest.toml",
    RUNTIME_LOCK,
    CHECKERS_LOCK,
    Path(__file__),
)


def main() -> int:
    """Makes or completes the environment; 0 when it is ready."""
    python = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text(encoding="ascii") == wanted and runs(python):
        tell_blender(python)
        return 0
    if not runs(python):
        print(f"Making {ENVIRONMENT} with {sys.executable}", flush=True)
        call(sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT))
    print("Installing the backend and its packages (some minutes the first time)", flush=True)
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    call(*pip, "-r", str(RUNTIME_LOCK), "-r", str(CHECKERS_LOCK))
    call(*pip, "--no-deps", "-e", str(ROOT))
    STAMP.write_text(wanted, encoding="ascii")
    tell_blender(python)
    return 0


def fingerprint() -> str:
    """What the environment is made from, as one hexadecimal number."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in INPUTS:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def runs(python: Path) -> bool:
    """Whether `python` starts and is of this Python's version."""
    code = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
    try:
        return subprocess.run([str(python), "-c", code], check=False).returncode == 0
    except OSError:
        return False


def tell_blender(python: Path) -> None:
    """Notes for the panel in Blender where the backend is; that it cannot is no failure."""
    code = "from stripmocap.contract import places; places.note_python()"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"Blender will not find {python} by itself: {done.stderr[-300:]}", file=sys.stderr)


def call(*command: str) -> None:
    """Runs `command`; ends this program with its exit status if it fails."""
    status = subprocess.run(command, check=False).returncode
    if status:
        print(f"This failed: {' '.join(command)}", file=sys.stderr)
        print("Check the network and the free space, then run make again.", file=sys.stderr)
        sys.exit(status)


if __name__ == "__main__":
    sys.exit(main())
