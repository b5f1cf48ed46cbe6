"""`vibe`: bodies over time, from BlazePose's keypoints in all frames of a person together.

VIBE's temporal encoder (Kocabas et al., CVPR 2020) on our own body and weights. The network reads
thirty frames a second of any footage. What hides a person for a while is bridged by how people
move; such frames have a motion, and a confidence of 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ...contract import body_file
from ...contract.errors import AssetCorrupt
from ...contract.messages import Clip
from ...contract.methods import VibeOptions
from ...contract.motion import Camera
from ...people.observations import Person
from ..hmr.estimate import estimator_of
from ..hmr.frames import Figure, PerFrame, has_enough
from ..hmr.inference import prepared
from ..toolbox import Estimator, Report, Tools
from . import chunks
from .keypoint_network import TemporalNetwork
from .keypoint_weights import load_temporal_network
from .one_euro import at_strength, of_rotations
from .resampling import nearest_tick, seen_on, ticks_of, turned_at
from .views import views_over_time

STAGE = "time"
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

    return estimator_of(look, figure, tools)


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
        torch.from_numpy(each)[None]
        for each in seen_on(
            ticks_s,
            times_s=person.times_s,
            keypoints=person.keypoints,
            landmarks3d=person.landmarks3d,
        )
    )
    center = torch.tensor(camera.center_px, dtype=torch.float32)
    view = views_over_time(keypoints, focal=camera.focal_px, center=center, landmarks3d=landmarks3d)
    rotmat, betas = [], []
    with torch.inference_mode():
        for part in chunks.read(network, view.numbers[None]):
            rotmat.append(part.rotmat)
            betas.append(part.betas)
            told(sum(len(each) for each in betas) / len(ticks_s))
        turned, shapes = torch.cat(rotmat), torch.cat(betas)
        if not (torch.isfinite(turned).all() and torch.isfinite(shapes).all()):
            raise AssetCorrupt(
                "the network's weights give no numbers", hint="Install Strip Mocap again."
            )
        turned = turned_at(person.times_s, ticks_s=ticks_s, rotmat=turned)
    if smooth:
        times_s = torch.tensor(person.times_s, device=device)
        turned = of_rotations(turned, times_s=times_s, cutoffs=at_strength(smooth))
    nearest = torch.from_numpy(nearest_tick(person.times_s, ticks_s)).to(device)
    seen = torch.from_numpy(has_enough(person.keypoints)).to(device)
    return PerFrame(turned, shapes[nearest], seen, posed=torch.ones_like(seen))
