"""The lock files: exact versions of all that the backend needs, as pip's own resolver finds them.

    python tools/lock.py

Writes one file for each accelerator into wheels/, and the checkers' into tools/. Torch is pinned by
its public version alone ("2.13.0", not "2.13.0+cpu"): which build of it arrives is chosen by where
the installer looks, and torch itself pins its CUDA libraries. That is also why there are no hashes:
pip wants them for all packages or none, and torch's differ from build to build.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
ACCELERATORS = {
    "cpu": "Any computer; torch's CPU build.",
    "cuda": "NVIDIA GPUs on Linux and Windows; torch's CUDA build.",
    "mps": "Apple GPUs; torch's ordinary macOS build.",
}
OWN = "stripmocap"


def main() -> int:
    """Resolves and writes every lock file."""
    runtime = resolved(".")
    for name, purpose in ACCELERATORS.items():
        write(ROOT / "wheels" / f"lock-{name}.txt", runtime, purpose=purpose)
    everything = resolved(".[test,official]", constraints=runtime)
    checkers = {name: each for name, each in everything.items() if name not in runtime}
    write(ROOT / "tools" / "lock-checkers.txt", checkers, purpose="What `make test` adds.")
    return 0


def resolved(what: str, *, constraints: dict[str, str] | None = None) -> dict[str, str]:
    """Public versions by name of all that `what` needs, itself left out."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        pinned = Path(folder) / "constraints.txt"
        pinned.write_text(lines(constraints or {}), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet"]
        command += ["--ignore-installed", "--only-binary", ":all:", "-c", str(pinned)]
        subprocess.run([*command, "--report", str(report), what], cwd=ROOT, check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    versions = {each["metadata"]["name"].lower(): each["metadata"]["version"] for each in found}
    return {
        name: version.partition("+")[0] for name, version in sorted(versions.items()) if name != OWN
    }


def lines(versions: dict[str, str]) -> str:
    """The pins, one a line."""
    return "".join(f"{name}=={version}\n" for name, version in versions.items())


def write(path: Path, versions: dict[str, str], *, purpose: str) -> None:
    """Writes a lock file with its purpose on top."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"# {purpose}\n# Made by tools/lock.py.\n{lines(versions)}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
