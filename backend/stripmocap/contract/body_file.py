"""The body as a file: SMPL's arrays plus what artists need (quads, a UV map) and keypoints.

A body file is an .npz that is read without pickle. Blend shapes may be float16, and matrices are
sparse (`<name>.rows`, `.columns`, `.values`, `.shape`); `load` always gives dense float32. Rest
pose: T, y up, facing +z, left arm along +x, metres.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import npz_file
from .arrays import DType, checked
from .errors import BodyFileError
from .skeleton import (
    BETAS_COUNT,
    JOINT_NAMES,
    PARENTS,
    SMPLH_BETAS_COUNT,
    SMPLH_JOINT_NAMES,
    SMPLH_PARENTS,
)

FORMAT = 1
MOST_DENSE = 2**26  # numbers of one matrix; ours has 2**21
GENDERS = ("neutral", "female", "male")
EMBEDDED_BODY = Path(__file__).parents[1] / "body" / "data" / "embedded_body.npz"
CONVERT = "Convert the official file again, with `stripmocap convert-body`."
_BETAS: dict[tuple[int, ...], int] = {PARENTS: BETAS_COUNT, SMPLH_PARENTS: SMPLH_BETAS_COUNT}
_SPARSE_PARTS = ("rows", "columns", "values", "shape")


@dataclass(frozen=True, eq=False)
class BodyTemplate:
    """A skinned, shapeable body (Loper et al., SIGGRAPH Asia 2015) in its rest pose.

    J joints and L betas are SMPL's 24 and 10, or SMPL-H's 52 and 16.
    """

    name: str  # for instance "embedded neutral"
    licence: str  # SPDX identifier of the body itself
    v_template: np.ndarray  # (V, 3) metres
    shapedirs: np.ndarray  # (V, 3, L) metres per unit of beta
    posedirs: np.ndarray  # (V, 3, 9 (J - 1)) metres; (V, 3, 0) without pose correctives
    J_regressor: np.ndarray  # (J, V)
    lbs_weights: np.ndarray  # (V, J), rows sum to one
    faces: np.ndarray  # (F, 4) quads, or (F, 3); int32, counter-clockwise from outside
    uv: np.ndarray  # (L, 2) a UV per corner, faces in order; (0, 2) when there is none
    landmark_names: tuple[str, ...]
    landmark_regressor: np.ndarray  # (K, V) each landmark as a weighted mean of vertices
    parents: tuple[int, ...] = PARENTS  # of each joint, -1 at the root; or SMPLH_PARENTS

    def __post_init__(self) -> None:
        if self.parents not in _BETAS:
            raise BodyFileError(f"{len(self.parents)} joints are not those of SMPL or SMPL-H")
        count, joints = len(self.v_template), len(self.parents)
        corners = np.asarray(self.faces).size
        self._freeze("v_template", (count, 3))
        self._freeze("shapedirs", (count, 3, _BETAS[self.parents]))
        self._freeze("posedirs", (count, 3, None))
        self._freeze("J_regressor", (joints, count))
        self._freeze("lbs_weights", (count, joints))
        self._freeze("faces", (None, None), np.int32)
        self._freeze("uv", (corners if len(self.uv) else 0, 2))
        self._freeze("landmark_regressor", (len(self.landmark_names), count))
        correctives = (joints - 1) * 9
        if self.posedirs.shape[2] not in (0, correctives):
            raise BodyFileError(
                f"posedirs has {self.posedirs.shape[2]} columns, not 0 or {correctives}"
            )
        if self.faces.shape[1] not in (3, 4):
            raise BodyFileError(f"faces have {self.faces.shape[1]} corners, not 3 or 4")
        if self.faces.min() < 0 or self.faces.max() >= count:
            raise BodyFileError("faces name vertices that do not exist")
        if not np.allclose(self.lbs_weights.sum(axis=1), 1, atol=1e-3):
            raise BodyFileError("lbs_weights do not sum to one")

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The J joints' names."""
        return JOINT_NAMES if self.parents == PARENTS else SMPLH_JOINT_NAMES

    @property
    def triangles(self) -> np.ndarray:
        """(F, 3) faces with each quad cut along its first diagonal."""
        if self.faces.shape[1] == 3:
            return self.faces
        return self.faces[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)

    def rest_vertices(self, betas: np.ndarray) -> np.ndarray:
        """(V, 3) metres, the rest mesh of shape `betas` (L,)."""
        return self.v_template + self.shapedirs @ np.asarray(betas, dtype=np.float32)

    def rest_joints(self, betas: np.ndarray) -> np.ndarray:
        """(J, 3) metres, the rest joints of shape `betas` (L,)."""
        return self.J_regressor @ self.rest_vertices(betas)

    def _freeze(self, name: str, shape: tuple[int | None, ...], dtype: DType = np.float32) -> None:
        value = checked(name, getattr(self, name), shape, dtype=dtype, error=BodyFileError)
        object.__setattr__(self, name, value)


def save(template: BodyTemplate, path: Path) -> None:
    """Writes a body of SMPL's joints to `path`, whole or not at all.

    Raises:
        BodyFileError: it has other joints, its name does not end in its gender, or the file cannot
            be written.
    """
    family, _, gender = template.name.rpartition(" ")
    if template.parents != PARENTS or gender not in GENDERS or not family:
        raise BodyFileError(
            f"{template.name} with {len(template.parents)} joints cannot be kept as a body file",
            hint="Body files hold women, men or neutral bodies with SMPL's 24 joints.",
        )
    matrices = ("J_regressor", "lbs_weights", "landmark_regressor")
    arrays: dict[str, np.ndarray] = {
        "format": np.array(FORMAT),
        "name": np.array(family),
        "genders": np.array([gender]),
        "licence": np.array(template.licence),
        "faces": template.faces,
        "uv": template.uv,
        "posedirs": template.posedirs,
        "landmark_names": np.array(template.landmark_names),
        f"{gender}.v_template": template.v_template,
        f"{gender}.shapedirs": template.shapedirs,
    }
    for name in matrices:
        arrays |= sparse_parts(name, getattr(template, name))
    npz_file.write(path, arrays, error=BodyFileError)


def names_in(path: Path) -> tuple[str, ...]:
    """The names of the bodies in a file by gender, "" for those of `GENDERS` that are not there.

    Only a few bytes are read.

    Raises:
        BodyFileError: the file is missing, or is no body file.
    """
    arrays = npz_file.read(path, error=BodyFileError, names=("name", "genders", "landmark_names"))
    genders = np.ravel(arrays.get("genders", np.array(GENDERS)))
    if "name" not in arrays or "landmark_names" not in arrays or len(genders) > len(GENDERS):
        raise BodyFileError(f"{path} is no body file", hint=CONVERT)
    there = {str(each) for each in genders}
    return tuple(f"{arrays['name']} {each}" if each in there else "" for each in GENDERS)


def load(path: Path, gender: str = "neutral") -> BodyTemplate:
    """The body of `gender` in the file at `path`.

    Raises:
        BodyFileError: the file is missing, is no body file, or has no such gender.
    """
    if gender not in GENDERS:
        raise BodyFileError(
            f"there is no {gender!r} body", hint=f"Choose one of {', '.join(GENDERS)}."
        )
    hint = "Install Strip Mocap again." if path == EMBEDDED_BODY else CONVERT
    arrays = npz_file.read(path, error=BodyFileError, hint=hint)
    try:
        if int(arrays["format"]) > FORMAT:
            raise BodyFileError(
                f"{path} has format {int(arrays['format'])}, this version reads up to {FORMAT}",
                hint="Update Strip Mocap.",
            )
        return BodyTemplate(
            name=f"{arrays['name']} {gender}",
            licence=str(arrays["licence"]),
            v_template=arrays[f"{gender}.v_template"],
            shapedirs=arrays[f"{gender}.shapedirs"],
            posedirs=arrays["posedirs"],
            J_regressor=_dense(arrays, "J_regressor"),
            lbs_weights=_dense(arrays, "lbs_weights"),
            faces=arrays["faces"],
            uv=arrays["uv"],
            landmark_names=tuple(str(each) for each in arrays["landmark_names"]),
            landmark_regressor=_dense(arrays, "landmark_regressor"),
        )
    except (KeyError, ValueError, IndexError, TypeError, OverflowError, MemoryError) as error:
        raise BodyFileError(f"{path} is not a complete body file ({error})", hint=hint) from error


def sparse_parts(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """The entries of a body file that hold the matrix `array` sparsely under `name`."""
    rows, columns = np.nonzero(array)
    values = (
        rows.astype(np.uint16),
        columns.astype(np.uint16),
        array[rows, columns].astype(np.float32),
        np.array(array.shape),
    )
    return {f"{name}.{part}": value for part, value in zip(_SPARSE_PARTS, values, strict=True)}


def _dense(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    rows, columns, values, shape = (arrays[f"{name}.{part}"] for part in _SPARSE_PARTS)
    sides = tuple(int(each) for each in shape)
    if len(sides) != 2 or math.prod(sides) > MOST_DENSE:
        raise ValueError(f"{name} is said to have shape {sides}")
    dense = np.zeros(sides, dtype=np.float32)
    dense[rows, columns] = values
    return dense
