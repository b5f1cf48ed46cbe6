"""Official SMPL and SMPL-H files, which a user brings, as body templates.

Reads the .pkl of SMPL (its arrays may be wrapped by chumpy, and its joint regressor by scipy) and
.npz files of the same names, without running anything in them. SMPL's vertices have meaning by
number: those of the face, the feet and the fingertips are SMPL+X's public list; the joints that
SPIN's training sets label come from `J_regressor_extra.npy`, if the user has it. Who has the
package smplx can have its layers of the same files.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse
from torch import nn

from ..contract import npz_file
from ..contract.body_file import GENDERS, MOST_DENSE, BodyTemplate
from ..contract.errors import AssetMissing, BodyFileError
from ..contract.skeleton import (
    BETAS_COUNT,
    PARENTS,
    SMPLH_BETAS_COUNT,
    SMPLH_JOINT_NAMES,
    SMPLH_PARENTS,
)
from .pickles import Record, read_pickle

VERTEX_COUNT = 6890
LICENCE = "LicenseRef-SMPL"
EXTRA_NAMES = (
    *("right_hip_lsp", "left_hip_lsp", "neck_lsp", "head_top", "pelvis_mpii", "thorax"),
    *("spine_h36m", "jaw", "head_h36m"),
)
_BETAS = {PARENTS: BETAS_COUNT, SMPLH_PARENTS: SMPLH_BETAS_COUNT}
_VERTICES = {
    "nose": 332,
    "right_eye": 6260,
    "left_eye": 2800,
    "right_ear": 4071,
    "left_ear": 583,
    "left_big_toe": 3216,
    "left_small_toe": 3226,
    "left_heel": 3387,
    "right_big_toe": 6617,
    "right_small_toe": 6624,
    "right_heel": 6787,
    "left_thumb_tip": 2746,
    "left_index_tip": 2319,
    "left_middle_tip": 2445,
    "left_ring_tip": 2556,
    "left_pinky_tip": 2673,
    "right_thumb_tip": 6191,
    "right_index_tip": 5782,
    "right_middle_tip": 5905,
    "right_ring_tip": 6016,
    "right_pinky_tip": 6133,
}
_EYE_CORNERS = ("eye_inner", "eye_outer")
_HAND_JOINTS = {"left": 22, "right": 23}
# BlazePose marks knuckles; between SMPL's hand joint and the fingertip they lie about here.
_KNUCKLE_SHARE = 0.4
_KNUCKLES = {"thumb": "thumb2", "index": "index1", "pinky": "pinky1"}  # of SMPL-H's joints
# BlazePose's foot index lies on the toes, nearer the big one.
_BIG_TOE_SHARE = 0.7
_SMPLX_BETAS = 300
_RECORDS = (
    *("chumpy.ch.Ch", "chumpy.reordering.Select"),
    *("scipy.sparse.csc.csc_matrix", "scipy.sparse._csc.csc_matrix"),
)
_NEEDED = (
    *("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f", "kintree_table"),
)


def read_official(
    path: Path, *, gender: str | None = None, extra_regressor: Path | None = None
) -> BodyTemplate:
    """The body of an official SMPL or SMPL-H file (.pkl or .npz), called "SMPL female" and so on.

    Args:
        path: for instance `SMPL_NEUTRAL.pkl`.
        gender: one of `GENDERS`; None: by the file's name.
        extra_regressor: `J_regressor_extra.npy` (9, 6890); without it SPIN's 49 are not all there.

    Raises:
        AssetMissing, AssetCorrupt: the file is not there, or is no pickle of plain arrays.
        BodyFileError: it holds something else than an SMPL body.
    """
    arrays = _read(path)
    extra = None if extra_regressor is None else read_regressor(extra_regressor, rows=EXTRA_NAMES)
    template = official_template(arrays, name=path.name, extra_regressor=extra)
    kind = "SMPL" if template.parents == PARENTS else "SMPL-H"
    return replace(template, name=f"{kind} {gender or gender_of_file(path)}")


def gender_of_file(path: Path) -> str:
    """One of `GENDERS`, by the names that official files and their folders have; else neutral."""
    words: list[str] = re.findall(
        "female|male|neutral|_f_|_m_", f"{path.parent.name}/{path.name}".lower()
    )
    short = {"_f_": "female", "_m_": "male"}
    last = words[-1] if words else GENDERS[0]
    return short.get(last, last)


def official_template(
    arrays: Mapping[str, Any], *, name: str, extra_regressor: np.ndarray | None = None
) -> BodyTemplate:
    """The body that arrays under SMPL's own names describe.

    SMPL-H has 16 betas; where a file of it has fewer, the rest move nothing.

    Raises:
        BodyFileError: arrays are missing or are not those of 24 or 52 joints and 6890 vertices.
    """
    missing = [] if not isinstance(arrays, Mapping) else [n for n in _NEEDED if n not in arrays]
    if missing or not isinstance(arrays, Mapping):
        raise BodyFileError(f"{name} is no SMPL body (no {', '.join(missing) or 'named arrays'})")
    try:
        dense = {key: _numbers(arrays[key]) for key in _NEEDED}
        return _template(dense, name, extra_regressor)
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise BodyFileError(
            f"{name} is no SMPL body with 24 joints, nor SMPL-H with 52 ({error})",
            hint="SMPL-X and MANO files have other joints; choose an SMPL file.",
        ) from error


def read_regressor(path: Path, *, rows: Sequence[str] | int) -> np.ndarray:
    """(R, 6890) weights of R joints in a mesh of SMPL, such as those of H36M (17).

    Args:
        path: an .npy file.
        rows: the joints' names, or how many there are.

    Raises:
        BodyFileError: the file is missing, or is none of that shape.
    """
    count = rows if isinstance(rows, int) else len(rows)
    try:
        # Mapped, it is compared with the file's size before memory is asked for.
        regressor = np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError, OverflowError, SyntaxError, TokenError) as error:
        raise BodyFileError(f"{path} cannot be read as a regressor ({error})") from error
    if regressor.shape != (count, VERTEX_COUNT) or not np.isfinite(regressor).all():
        raise BodyFileError(
            f"{path} has shape {regressor.shape}, or gaps, and not ({count}, {VERTEX_COUNT})"
        )
    return regressor


def smplx_layer(path: Path) -> nn.Module:
    """The same file as `SMPLLayer` or `SMPLHLayer` of the package smplx, with our count of betas.

    The package is for non-commercial use, and is here for comparison: nothing of ours runs on it.

    Raises:
        AssetMissing, AssetCorrupt, BodyFileError: as `read_official`; or smplx is not installed.
    """
    try:
        smplx = importlib.import_module("smplx")
    except ImportError as error:
        raise AssetMissing(
            f"the package smplx cannot be loaded ({error})",
            hint='Run `pip install "stripmocap[official]"`; its licence is for non-commercial use.',
        ) from error
    arrays = _read(path)
    template = official_template(arrays, name=path.name)
    count = template.shapedirs.shape[2]
    dense = {key: _dense(arrays[key]) for key in _NEEDED}
    # It gives ten betas of any file that does not have 300.
    dense["shapedirs"] = np.zeros((VERTEX_COUNT, 3, _SMPLX_BETAS), dtype=np.float32)
    dense["shapedirs"][:, :, :count] = template.shapedirs
    if template.parents == PARENTS:
        return smplx.SMPLLayer("", data_struct=SimpleNamespace(**dense), num_betas=count)
    # Hands are given joint by joint, so what the file says of usual hands is not asked for.
    hands = {f"hands_mean{side}": np.zeros(45) for side in "lr"}
    hands |= {f"hands_components{side}": np.eye(45) for side in "lr"}
    return smplx.SMPLHLayer(
        "", data_struct=SimpleNamespace(**dense, **hands), num_betas=count, use_pca=False
    )


def _read(path: Path) -> Any:
    if path.suffix != ".npz":
        return read_pickle(path, records=_RECORDS)
    # Other entries may hold Python objects; they are left alone.
    return npz_file.read(path, error=BodyFileError, names=_NEEDED)


def _template(
    dense: dict[str, np.ndarray], name: str, extra_regressor: np.ndarray | None
) -> BodyTemplate:
    below = tuple(int(each) for each in dense["kintree_table"][0, 1:])
    parents = next((each for each in _BETAS if each[1:] == below), None)
    if parents is None or len(dense["v_template"]) != VERTEX_COUNT:
        raise ValueError(f"{1 + len(below)} joints, {len(dense['v_template'])} vertices")
    rows = _landmark_rows(dense["J_regressor"], parents)
    if extra_regressor is not None:
        rows |= dict(zip(EXTRA_NAMES, extra_regressor, strict=True))
    shapedirs = dense["shapedirs"][:, :, : _BETAS[parents]]
    if parents == SMPLH_PARENTS:
        lacking = SMPLH_BETAS_COUNT - shapedirs.shape[2]
        shapedirs = np.pad(shapedirs, ((0, 0), (0, 0), (0, lacking)))
    return BodyTemplate(
        name=name,
        licence=LICENCE,
        v_template=dense["v_template"],
        shapedirs=shapedirs,
        posedirs=dense["posedirs"],
        J_regressor=dense["J_regressor"],
        lbs_weights=dense["weights"],
        faces=_vertex_numbers(dense["f"]),
        uv=np.zeros((0, 2)),
        landmark_names=tuple(rows),
        landmark_regressor=np.array(list(rows.values())),
        parents=parents,
    )


def _landmark_rows(J_regressor: np.ndarray, parents: tuple[int, ...]) -> dict[str, np.ndarray]:
    """(6890,) weights of each landmark; the mouth's corners have no number and are left out."""
    rows = {name: _only(vertex) for name, vertex in _VERTICES.items()}
    for side, hand in _HAND_JOINTS.items():
        rows |= {f"{side}_{corner}": rows[f"{side}_eye"] for corner in _EYE_CORNERS}
        big, small = rows[f"{side}_big_toe"], rows[f"{side}_small_toe"]
        rows[f"{side}_foot_index"] = _BIG_TOE_SHARE * big + (1 - _BIG_TOE_SHARE) * small
        for finger, knuckle in _KNUCKLES.items():
            if parents == SMPLH_PARENTS:
                row = J_regressor[SMPLH_JOINT_NAMES.index(f"{side}_{knuckle}")]
            else:
                tip = rows[f"{side}_{finger}_tip"]
                row = (1 - _KNUCKLE_SHARE) * J_regressor[hand] + _KNUCKLE_SHARE * tip
            rows[f"{side}_{finger}"] = row
    return rows


def _vertex_numbers(faces: np.ndarray) -> np.ndarray:
    # Cast first, a number that is far too large would become another vertex.
    if not (np.abs(faces.astype(np.float64)) < VERTEX_COUNT).all():
        raise ValueError("its faces name vertices that do not exist")
    return faces.astype(np.int64)


def _only(vertex: int) -> np.ndarray:
    row = np.zeros(VERTEX_COUNT, dtype=np.float32)
    row[vertex] = 1
    return row


def _numbers(value: Any) -> np.ndarray:
    array = _dense(value)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"an array of {array.dtype.name}")
    return array


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
