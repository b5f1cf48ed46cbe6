"""How fast the temporal networks are: features of frames over time to bodies and their joints.

Beside each as it is run here stands the published way, in the same process: the regressor
corrected three times, and joints read off a full mesh. Networks hold random numbers, and the
official form poses a stand-in of SMPL's size: what they say takes as long. Times are a frame's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..body.landmarks import MeshKeypoints, spin49_rows
from ..body.model import Body
from ..body.reduced import ReducedBody
from ..contract.body_file import BodyTemplate
from ..methods.features import resnet
from ..methods.hmr.inference import prepared
from ..methods.hmr.regressor import Regressed
from ..methods.vibe import chunks
from ..methods.vibe.keypoint_network import TemporalNetwork
from ..methods.vibe.pixel_network import Generator
from .benchmarks import Said
from .regressor_speed import best_ms

SMPL_VERTICES = 6890
CORRECTIVES = 207


@dataclass(frozen=True)
class TemporalTimes:
    """Milliseconds a frame of one person, from features or views to bodies with joints."""

    encoder_ms: float  # what runs over time, alone
    published_ms: float  # layers as they are trained, and the full mesh
    ours_ms: float  # folded, and the reduced body

    def to_json(self) -> dict[str, Any]:
        """What the command writes."""
        return asdict(self) | {"ratio": self.published_ms / self.ours_ms}


def official(
    template: BodyTemplate,
    *,
    people: int,
    frames: int,
    repeats: int,
    device: torch.device,
    report: Said,
) -> TemporalTimes:
    """VIBE's generator on features of `people` over `frames`; `template` is made SMPL's size."""
    torch.manual_seed(0)
    network = Generator().eval().to(device)
    swift = prepared(network, device=device)
    features = torch.rand(people, frames, resnet.FEATURES, device=device)
    mesh, reduced = _joints(_of_smpls_size(template), device=device)
    sides = {
        "encoder_ms": lambda: swift.encoder(features),
        "published_ms": lambda: mesh(network(features)[0]),
        "ours_ms": lambda: reduced(swift(features)[0]),
    }
    items = people * frames
    return TemporalTimes(
        **best_ms(sides, items=items, repeats=repeats, device=device, report=report)
    )


def embedded(
    network: TemporalNetwork,
    template: BodyTemplate,
    *,
    people: int,
    frames: int,
    repeats: int,
    device: torch.device,
    report: Said,
) -> TemporalTimes:
    """The embedded network, on views of `people` over `frames`, and its own body."""
    generator = torch.Generator().manual_seed(0)
    views = torch.rand(people, frames, network.sizes.numbers, generator=generator).to(device)
    network = network.eval().to(device)
    swift = prepared(network, device=device)
    mesh, reduced = _joints(template, device=device)
    sides = {
        "encoder_ms": lambda: swift.features(views),
        "published_ms": lambda: mesh(network(views)),
        "ours_ms": lambda: [reduced(each) for each in chunks.read(swift, views)],
    }
    items = people * frames
    return TemporalTimes(
        **best_ms(sides, items=items, repeats=repeats, device=device, report=report)
    )


Joints = Callable[[Regressed], Tensor]


def _joints(template: BodyTemplate, *, device: torch.device) -> tuple[Joints, Joints]:
    """SPIN's 49 joints (B, 49, 3) of bodies, off the full mesh and off the reduced body."""
    rows = spin49_rows(template)
    body, keypoints = (
        Body.from_template(template, device=device),
        MeshKeypoints.from_rows(rows, device=device),
    )
    reduced = ReducedBody.from_template(template, rows.rows, device=device)

    def off_the_mesh(said: Regressed) -> Tensor:
        pose = {"global_orient": said.global_orient, "body_pose": said.body_pose}
        vertices = body.vertices(**pose, betas=said.betas)
        return keypoints.read(body.joints(**pose, betas=said.betas), vertices)

    def off_the_reduced(said: Regressed) -> Tensor:
        points = reduced.points(said.global_orient, said.body_pose, betas=said.betas)
        return points[:, keypoints.points]

    return off_the_mesh, off_the_reduced


def _of_smpls_size(template: BodyTemplate) -> BodyTemplate:
    """A stand-in: some of the vertices of `template`, with correctives of random numbers."""
    kept = np.linspace(0, len(template.v_template) - 1, SMPL_VERTICES).round().astype(int)
    generator = np.random.default_rng(0)
    return replace(
        template,
        v_template=template.v_template[kept],
        shapedirs=template.shapedirs[kept],
        posedirs=1e-3 * generator.standard_normal((len(kept), 3, CORRECTIVES), dtype=np.float32),
        J_regressor=template.J_regressor[:, kept],
        lbs_weights=template.lbs_weights[kept],
        faces=np.zeros((1, 3), dtype=np.int32),
        uv=np.zeros((0, 2), dtype=np.float32),
        landmark_regressor=template.landmark_regressor[:, kept],
    )
