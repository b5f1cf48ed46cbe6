"""`vibe`: bodies over time, from BlazePose's keypoints in all frames of a person together.

VIBE's temporal encoder (Kocabas et al., CVPR 2020) on our own body and weights. The network reads
thirty frames a second of any footage. What hides a person for a while is bridged by how people
move; such frames have a motion, and a low confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ...contract import body_file
from ...contract.errors import AssetCorrupt
from ...contract.messages import Clip
from ...contract.methods import VibeOptions
from ...contract.motion import Camera
from ...people.observations import Person
from ..features.resampling import nearest_tick, seen_on, ticks_of, turned_at
from ..hmr.estimate import estimator_of
from ..hmr.frames import Figure, PerFrame, between, has_enough
from ..hmr.inference import prepared
from ..toolbox import Estimator, Report, Tools
from . import chunks, pixels
from .keypoint_network import TemporalNetwork
from .keypoint_weights import load_temporal_network
from .one_euro import smoothed, smoothed_as_published

STAGE = "time"
_NO_SHAPE = 1e3  # standard deviations: nobody's shape, nor a number to go on with
SHIPPED_VIBE = Path(__file__).parents[2] / "weights" / "vibe.safetensors"


def load(tools: Tools, options: VibeOptions) -> Estimator:
    """The network of keypoints, ready to run on `tools.body`, one of ours.

    Raises:
        AssetMissing, AssetCorrupt: the weights cannot be read.
    """
    network = load_temporal_network(tools.network or SHIPPED_VIBE)
    network = prepared(network, device=tools.device)
    taught_on = body_file.load(body_file.EMBEDDED_BODY)
    figure = Figure.from_template(tools.body, spoken=taught_on, device=tools.device)

    def look(
        people: Sequence[Person], camera: Camera, report: Report, clip: Clip | None
    ) -> list[PerFrame]:
        count, done = sum(len(each.times_s) for each in people), 0
        report(STAGE, 0, count)
        found = []
        for each in people:
            frames = len(each.times_s)

            def told(share: float, before: int = done, frames: int = frames) -> None:
                report(STAGE, before + round(share * frames), count)

            found.append(
                looked_at(
                    each, camera, network, device=tools.device, smooth=options.smooth, told=told
                )
            )
            done += frames
        return found

    return estimator_of(look, figure, tools, steady="all")


def load_official(tools: Tools, options: VibeOptions) -> Estimator:
    """VIBE as it was published, on the footage itself and SMPL's body.

    Raises:
        AssetMissing, AssetCorrupt: the weights cannot be read.
    """
    assert tools.network is not None, "official weights are never shipped"
    assert tools.backbone is not None, "nor are those of what they read"
    networks = pixels.load(tools.network, tools.backbone, device=tools.device)

    def look(
        people: Sequence[Person], camera: Camera, report: Report, clip: Clip | None
    ) -> list[PerFrame]:
        assert clip is not None, "pixels are looked at"
        found = networks(people, camera, clip, conventions=options.conventions, report=report)
        return [
            _filtered(each, whose.times_s, strength=options.smooth, way=options.conventions)
            for whose, each in zip(people, found, strict=True)
        ]

    figure = Figure.from_template(tools.body, device=tools.device)
    return estimator_of(look, figure, tools, steady="all")


def looked_at(
    person: Person,
    camera: Camera,
    network: TemporalNetwork,
    *,
    device: torch.device,
    smooth: float = 0.0,
    told: Callable[[float], None] = lambda _: None,
) -> PerFrame:
    """What `network` says of a person in every frame, also of those in which nobody is seen.

    Args:
        person: seen at any times.
        camera: that saw them.
        network: for instance `inference.prepared`; on `device`.
        device: where it runs.
        smooth: strength of the filter behind it; see `VibeOptions`.
        told: how much is done, in [0, 1]; may raise to stop.

    Raises:
        AssetCorrupt: the network says what are no numbers.
    """
    ticks_s = ticks_of(person.times_s)
    keypoints, landmarks3d = (
        torch.from_numpy(each)
        for each in seen_on(
            ticks_s,
            times_s=person.times_s,
            keypoints=person.keypoints,
            landmarks3d=person.landmarks3d,
        )
    )
    center = torch.tensor(camera.center_px, dtype=torch.float32)
    numbers = chunks.shown(
        keypoints, landmarks3d=landmarks3d, focal_px=camera.focal_px, center=center
    )
    rotmat, betas = [], []
    with torch.inference_mode():
        for part in chunks.read(network, numbers[None]):
            rotmat.append(part.rotmat)
            betas.append(part.betas)
            told(sum(len(each) for each in betas) / len(ticks_s))
        turned, shapes = torch.cat(rotmat), torch.cat(betas)
        if not (torch.isfinite(turned).all() and (shapes.abs() < _NO_SHAPE).all()):
            raise AssetCorrupt(
                "the network's weights give no numbers", hint="Install Strip Mocap again."
            )
        turned = turned_at(person.times_s, ticks_s=ticks_s, rotmat=turned)
    nearest = torch.from_numpy(nearest_tick(person.times_s, ticks_s)).to(device)
    seen = torch.from_numpy(has_enough(person.keypoints)).to(device)
    # What is said of somebody's shape while too little is seen of them is the usual one.
    told_of = shapes[nearest[seen]] if seen.any() else shapes
    shape = told_of.mean(dim=0).expand(len(seen), -1)
    found = PerFrame(turned, shape, seen, posed=torch.ones_like(seen))
    return _filtered(found, person.times_s, strength=smooth, way="house")


def _filtered(found: PerFrame, times_s: np.ndarray, *, strength: float, way: str) -> PerFrame:
    """What was found behind the filter of a strength, ours or the published one."""
    if strength == 0:
        return found
    posed = found.seen if found.posed is None else found.posed
    times = torch.tensor(times_s, device=posed.device)
    rotmat = between(found.rotmat, posed, times)
    if way == "published":
        rotmat = smoothed_as_published(rotmat, strength=strength)
    else:
        rotmat = smoothed(rotmat, times_s=times, strength=strength)
    return replace(found, rotmat=rotmat, posed=torch.ones_like(posed))
