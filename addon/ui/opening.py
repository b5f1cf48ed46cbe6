"""Files that can be dropped: captures of ours, and motions in the form of AMASS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract import amass, bodies, body_file, errors, motion, npz_file, result_file


@dataclass(frozen=True)
class Opened:
    """What a file holds, and the body that shows it."""

    capture: motion.Capture
    body: body_file.BodyTemplate
    is_ours: bool  # it was captured from a clip
    remark: str = ""  # what is worth telling of the body, without full stop


def open_file(path: Path, *, folder: Path, keep_shape: bool = False) -> Opened:
    """The motion in an .npz file.

    Args:
        path: of the file.
        folder: of the user's body files.
        keep_shape: an AMASS file's shape is meant for our body; else it is left out, because the
            same numbers are another person on another body.

    Raises:
        ResultFileError: the file is missing, damaged, or of another kind.
        BodyFileError: the body cannot be read.
    """
    arrays = npz_file.read(path, error=errors.ResultFileError)
    if "trans" in arrays and {"poses", "pose_body"} & set(arrays):
        return _amass(arrays, path, keep_shape=keep_shape)
    capture = result_file.unpacked(arrays, name=str(path))
    found = bodies.dressed(capture, folder=folder)
    return Opened(found.capture, found.body, is_ours=True, remark=found.remark)


def _amass(arrays: dict[str, np.ndarray], path: Path, *, keep_shape: bool) -> Opened:
    gender = amass.gender_in(arrays)
    body = body_file.load(body_file.EMBEDDED_BODY, gender)
    if not keep_shape:
        arrays = {name: each for name, each in arrays.items() if name != "betas"}
    betas = np.zeros(body.shapedirs.shape[-1], dtype=np.float32)
    given = np.ravel(arrays.get("betas", betas))[: len(betas)]
    betas[: len(given)] = given
    made, camera = amass.from_amass(arrays, body.rest_joints(betas)[0])
    request = {"clip": {"path": path.name}, "body": gender, "estimator": "AMASS"}
    take = motion.Take(label="refined", motions=(made,))
    capture = motion.Capture(camera=camera, takes=(take,), provenance={"request": request})
    return Opened(capture, body, is_ours=False)
