"""Official SMPL files, which a user brings, as body templates.

Reads the .pkl of SMPL (its arrays may be wrapped by chumpy, and its joint regressor by scipy) and
.npz files of the same names, without running anything in them. SMPL's vertices have meaning by
number: those of the face, the feet and the fingertips are SMPL+X's public list; the joints that
SPIN's training sets label come from `J_regressor_extra.npy`, if the user has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import scipy.sparse

from ..contract import npz_file
from ..contract.body_file import MOST_DENSE, BodyTemplate
from ..contract.errors import BodyFileError
from ..contract.skeleton import BETAS_COUNT, JOINT_COUNT, PARENTS
from .pickles import Record, read_pickle

VERTEX_COUNT = 6890
LICENCE = "LicenseRef-SMPL"
EXTRA_NAMES = (
    *("right_hip_lsp", "left_hip_lsp", "neck_lsp", "head_top", "pelvis_mpii", "thorax"),
    *("spine_h36m", "jaw", "head_h36m"),
)
_VERTICES = {
    "nose": 332,
    "left_eye": 2800,
    "right_eye": 6260,
    "left_ear": 583,
    "right_ear": 4071,
    "left_big_toe": 3216,
    "left_small_toe": 3226,
    "left_heel": 3387,
    "right_big_toe": 6617,
    "right_small_toe": 6624,
    "right_heel": 6787,
}
_EYE_CORNERS = ("eye_inner", "eye_outer")
_FINGERTIPS = {
    "left_thumb": 2746,
    "left_index": 2319,
    "left_pinky": 2673,
    "right_thumb": 6191,
    "right_index": 5782,
    "right_pinky": 6133,
}
_HAND_JOINTS = {"left": 22, "right": 23}
# BlazePose marks knuckles; between the hand joint and the fingertip they lie about here.
_KNUCKLE_SHARE = 0.4
# BlazePose's foot index lies on the toes, nearer the big one.
_BIG_TOE_SHARE = 0.7
_RECORDS = (
    *("chumpy.ch.Ch", "chumpy.reordering.Select"),
    *("scipy.sparse.csc.csc_matrix", "scipy.sparse._csc.csc_matrix"),
)
_NEEDED = (
    *("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table"),
)


def read_official(path: Path, *, extra_regressor: Path | None = None) -> BodyTemplate:
    """The body of an official SMPL file (.pkl or .npz).

    Args:
        path: for instance `SMPL_NEUTRAL.pkl`.
        extra_regressor: `J_regressor_extra.npy` (9, 6890); without it SPIN's 49 are not all there.

    Raises:
        AssetMissing, AssetCorrupt: the file is not there, or is no pickle of plain arrays.
        BodyFileError: it holds something else than an SMPL body.
    """
    arrays = _read_npz(path) if path.suffix == ".npz" else read_pickle(path, records=_RECORDS)
    extra = None if extra_regressor is None else _read_npy(extra_regressor)
    return official_template(arrays, name=path.stem, extra_regressor=extra)


def official_template(
    arrays: Mapping[str, Any], *, name: str, extra_regressor: np.ndarray | None = None
) -> BodyTemplate:
    """The body that arrays under SMPL's own names describe.

    Raises:
        BodyFileError: arrays are missing or are not those of SMPL's 24 joints and 6890 vertices.
    """
    missing = [] if not isinstance(arrays, Mapping) else [n for n in _NEEDED if n not in arrays]
    if missing or not isinstance(arrays, Mapping):
        raise BodyFileError(f"{name} is no SMPL body (no {', '.join(missing) or 'named arrays'})")
    try:
        dense = {key: _dense(arrays[key]) for key in _NEEDED}
        return _template(dense, name, extra_regressor)
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise BodyFileError(
            f"{name} is no SMPL body with {JOINT_COUNT} joints ({error})",
            hint="SMPL+H, SMPL-X and MANO files have other joints; choose an SMPL file.",
        ) from error


def _template(
    dense: dict[str, np.ndarray], name: str, extra_regressor: np.ndarray | None
) -> BodyTemplate:
    parents = dense["kintree_table"][0].astype(np.int64)
    if tuple(parents[1:]) != PARENTS[1:] or len(dense["v_template"]) != VERTEX_COUNT:
        raise ValueError(f"{len(parents)} joints, {len(dense['v_template'])} vertices")
    rows = _landmark_rows(dense["J_regressor"])
    if extra_regressor is not None:
        rows |= dict(zip(EXTRA_NAMES, extra_regressor, strict=True))
    return BodyTemplate(
        name=name,
        licence=LICENCE,
        v_template=dense["v_template"],
        shapedirs=dense["shapedirs"][:, :, :BETAS_COUNT],
        posedirs=dense["posedirs"],
        J_regressor=dense["J_regressor"],
        lbs_weights=dense["weights"],
        faces=dense["f"].astype(np.int64),
        uv=np.zeros((0, 2)),
        landmark_names=tuple(rows),
        landmark_regressor=np.array(list(rows.values())),
    )


def _landmark_rows(J_regressor: np.ndarray) -> dict[str, np.ndarray]:
    """(6890,) weights of each landmark; the mouth's corners have no number and are left out."""
    one = np.eye(VERTEX_COUNT, dtype=np.float32)
    rows = {name: one[vertex] for name, vertex in _VERTICES.items()}
    for side, hand in _HAND_JOINTS.items():
        rows |= {f"{side}_{corner}": rows[f"{side}_eye"] for corner in _EYE_CORNERS}
        big, small = rows[f"{side}_big_toe"], rows[f"{side}_small_toe"]
        rows[f"{side}_foot_index"] = _BIG_TOE_SHARE * big + (1 - _BIG_TOE_SHARE) * small
        for name, vertex in _FINGERTIPS.items():
            if name.startswith(side):
                knuckle = (1 - _KNUCKLE_SHARE) * J_regressor[hand] + _KNUCKLE_SHARE * one[vertex]
                rows[name] = knuckle
    return rows


def _dense(value: Any) -> np.ndarray:
    """The array inside what chumpy or scipy wrapped around it."""
    if not isinstance(value, Record):
        return np.asarray(value)
    state = value.state
    if "indptr" in state:
        parts = (state["data"], state["indices"], state["indptr"])
        matrix = scipy.sparse.csc_matrix(parts, shape=state["_shape"])
        if math.prod(matrix.shape or ()) > MOST_DENSE:
            raise ValueError(f"a matrix of {matrix.shape}")
        return matrix.toarray()
    if "idxs" in state:  # chumpy's Select: some numbers of another array, in another shape
        chosen = _dense(state["a"]).ravel()[_dense(state["idxs"])]
        return chosen.reshape([int(each) for each in state["preferred_shape"]])
    return _dense(state["x"])


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    # Other entries may hold Python objects; they are left alone.
    return npz_file.read(path, error=BodyFileError, names=_NEEDED)


def _read_npy(path: Path) -> np.ndarray:
    try:
        # Mapped, it is compared with the file's size before memory is asked for.
        regressor = np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError, OverflowError, SyntaxError, TokenError) as error:
        raise BodyFileError(f"{path} cannot be read as a regressor ({error})") from error
    if regressor.shape != (len(EXTRA_NAMES), VERTEX_COUNT):
        raise BodyFileError(f"{path} has shape {regressor.shape}, not (9, {VERTEX_COUNT})")
    return regressor
