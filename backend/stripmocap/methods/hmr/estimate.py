"""`spin`: bodies frame by frame, each from one look at BlazePose's keypoints in it.

HMR's regressor (Kanazawa et al., CVPR 2018) in the form that SPIN taught (Kolotouros et al., ICCV
2019), on our own body and weights. Frames know nothing of each other, so the motion trembles as
the detector does; a fit may start from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from ...contract import body_file
from ...contract.errors import AssetCorrupt
from ...contract.messages import Clip
from ...contract.methods import SpinOptions
from ...contract.motion import Camera
from ...people.journal import Journal
from ...people.observations import Person
from ..features.keypoints import View, view_of
from ..toolbox import Estimate, Estimator, Publish, Report, Tools
from . import pixels
from .frames import Figure, PerFrame, estimate_of, has_enough
from .inference import prepared
from .places import Steady
from .regressor import Regressed
from .weights import load_keypoint_network, load_pixel_network

STAGE = "frame"
SHIPPED_SPIN = Path(__file__).parents[2] / "weights" / "spin.safetensors"
_BATCH = 512  # frames that are looked at at once


Looker = Callable[[View], Regressed]
Look = Callable[[Sequence[Person], Camera, Report, Clip | None], list[PerFrame]]


def load(tools: Tools, options: SpinOptions) -> Estimator:
    """The regressor of keypoints, ready to run on `tools.body`, one of ours.

    Raises:
        AssetMissing, AssetCorrupt: the weights cannot be read.
    """
    network = load_keypoint_network(tools.network or SHIPPED_SPIN)
    network = prepared(network, device=tools.device)
    taught_on = body_file.load(body_file.EMBEDDED_BODY)
    figure = Figure.from_template(tools.body, spoken=taught_on, device=tools.device)

    def look(
        people: Sequence[Person], camera: Camera, report: Report, clip: Clip | None
    ) -> list[PerFrame]:
        count, found = sum(len(each.times_s) for each in people), []
        report(STAGE, 0, count)
        for each in people:
            found.append(looked_at(each, camera, network, device=tools.device))
            report(STAGE, sum(len(done.seen) for done in found), count)
        return found

    return estimator_of(look, figure, tools)


def load_official(tools: Tools, options: SpinOptions) -> Estimator:
    """SPIN as it was published, on the footage itself and SMPL's body.

    Raises:
        AssetMissing, AssetCorrupt: the weights cannot be read.
    """
    assert tools.network is not None, "official weights are never shipped"
    network = prepared(load_pixel_network(tools.network), device=tools.device)

    def look(
        people: Sequence[Person], camera: Camera, report: Report, clip: Clip | None
    ) -> list[PerFrame]:
        assert clip is not None, "pixels are looked at"
        return pixels.looked_at(people, clip, camera, network, device=tools.device, report=report)

    return estimator_of(look, Figure.from_template(tools.body, device=tools.device), tools)


def estimator_of(
    look: Look, figure: Figure, tools: Tools, *, steady: Steady = "depth"
) -> Estimator:
    """The estimator that looks at everybody, and then gives them their shapes and places."""

    def estimate(
        people: Sequence[Person],
        camera: Camera,
        report: Report,
        *,
        start: Estimate | None = None,
        clip: Clip | None = None,
        publish: Publish | None = None,
        journal: Journal | None = None,
    ) -> Estimate:
        found = look(people, camera, report, clip)
        return estimate_of(
            people, camera, found, figure=figure, height_m=tools.height_m, steady=steady
        )

    return estimate


def looked_at(person: Person, camera: Camera, network: Looker, *, device: torch.device) -> PerFrame:
    """What `network` says of each frame in which enough of a person is seen.

    Raises:
        AssetCorrupt: it says what are no numbers.
    """
    seen = has_enough(person.keypoints)
    frames = np.flatnonzero(seen) if seen.any() else np.arange(len(seen))
    keypoints = torch.tensor(person.keypoints[frames], device=device)
    landmarks3d = torch.tensor(person.landmarks3d[frames], device=device)
    center = torch.tensor(camera.center_px, dtype=torch.float32, device=device)
    parts = []
    with torch.inference_mode():
        for some, guess in zip(keypoints.split(_BATCH), landmarks3d.split(_BATCH), strict=True):
            view = view_of(some, focal=camera.focal_px, center=center, landmarks3d=guess)
            parts.append(network(view))
    rotmat = torch.cat([each.rotmat for each in parts])
    betas = torch.cat([each.betas for each in parts])
    if not (torch.isfinite(rotmat).all() and torch.isfinite(betas).all()):
        raise AssetCorrupt(
            "the regressor's weights give no numbers", hint="Install Strip Mocap again."
        )
    # What is not looked at is filled in later.
    index = np.zeros(len(seen), dtype=np.int64)
    index[frames] = np.arange(len(frames))
    among = torch.tensor(index, device=device)
    return PerFrame(rotmat[among], betas[among], torch.tensor(seen, device=device))
