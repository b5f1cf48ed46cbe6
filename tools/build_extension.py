"""Builds the extension's .zip into dist/ with Blender's own builder, and has Blender validate it.

    python tools/build_extension.py

What git tracks goes in, less what the manifest leaves out, and the backend's wheel, which
`make wheel` has built before. Blender's builder comes with the module `bpy`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import blender_env

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
BUILDER = "bl_pkg/cli/blender_ext.py"


def main() -> int:
    """Builds and validates; the exit status."""
    wheels = sorted((ROOT / "wheels").glob("*.whl"))
    if not wheels:
        print("There is no wheel in wheels/: run make zip.", file=sys.stderr)
        return 1
    builder = found_builder()
    if builder is None:
        return 1
    DIST.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        for path in [*tracked(), *wheels]:
            target = stage / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        command = [*builder, "build", "--source-dir", str(stage), "--output-dir", str(DIST)]
        if subprocess.run(command, check=False).returncode:
            return 1
    package = max(DIST.glob("*.zip"), key=lambda each: each.stat().st_mtime)
    print(f"Built {package.relative_to(ROOT)}, {package.stat().st_size / 2**20:.1f} MB")
    return subprocess.run([*builder, "validate", str(package)], check=False).returncode


def found_builder() -> list[str] | None:
    """The command that starts Blender's builder, from the first Blender that can be had."""
    for blender in blender_env.BLENDERS:
        problem = blender_env.make(blender)
        if problem:
            print(f"Blender {blender.version}: {problem}", file=sys.stderr)
            continue
        for script in blender.folder.rglob(BUILDER):
            return [str(blender.interpreter), str(script)]
    print("There is no Blender to build with.", file=sys.stderr)
    return None


def tracked() -> list[Path]:
    """Every file that git tracks and that is there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        encoding="utf-8",
    ).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


if __name__ == "__main__":
    sys.exit(main())
