"""`stripmocap convert-body`: an official SMPL file as a body file that Blender can show."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import assets
from ..body.official import read_official
from ..contract import bodies, body_file, places
from ..contract.errors import DiskFull
from . import outputs

REGRESSOR = "J_regressor_extra.npy"


def run(arguments: argparse.Namespace) -> int:
    """Writes the body file; the exit status."""
    source: Path = arguments.file
    extra = arguments.extra or _regressor_beside(source)
    template = read_official(source, gender=arguments.gender, extra_regressor=extra)
    output: Path = arguments.output or _usual_place(template.name)
    outputs.check(output, suffixes=(".npz",), sources=(source, extra))
    body_file.save(template, output)
    print(f"Saved {output}: {template.name}, {len(template.v_template)} vertices")
    if extra is None:
        print(f"  Without {REGRESSOR} beside it, SPIN's 49 keypoints are not all there.")
    print("  Its licence is that of the file it was made of: keep it to yourself.")
    return 0


def _regressor_beside(source: Path) -> Path | None:
    """The extra regressor in the folder of `source`, else in the folder of files."""
    beside = source.parent / REGRESSOR
    return beside if beside.is_file() else assets.find("smpl_extra_regressor")


def _usual_place(name: str) -> Path:
    """Where the add-on looks, such as `bodies/smpl_female.npz` in the data folder."""
    folder = places.bodies_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskFull(
            f"{folder} cannot be made ({error.strerror or error})",
            hint="Give a file with -o, or set STRIPMOCAP_DATA to a folder that you may write to.",
        ) from error
    return folder / bodies.file_name(name)
