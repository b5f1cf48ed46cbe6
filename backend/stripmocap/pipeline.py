"""From a request to a capture: the whole story, top to bottom. Nobody else knows the order."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import assets
from .contract import body_file
from .contract.body_file import EMBEDDED_BODY, BodyTemplate
from .contract.errors import NobodyFound
from .contract.messages import CaptureRequest, Clip
from .contract.methods import METHODS, POSE_PRIORS
from .contract.motion import Camera, Capture, Take
from .methods.catalogue import ESTIMATORS
from .methods.toolbox import Tools
from .people.blazepose import BlazePose
from .people.observations import Person
from .people.tracking import follow
from .video.frames import VideoInfo, probe, read_frames

Report = Callable[[str, int, int], None]  # stage, done, of (0: not known); may raise Cancelled
# Of the diagonal, where nobody says better: phones have 0.65 to 0.8, cinema lenses 0.8 to 1.2.
USUAL_FOCAL = 0.85
TAKE = "fitted"  # what an estimator that fits to keypoints makes


def capture(request: CaptureRequest, *, report: Report) -> Capture:
    """What `request` asks for.

    Args:
        request: everything that the result depends on.
        report: told of every stage; what it raises stops the work.

    Raises:
        StripMocapError: the video cannot be read, nobody is in it, or a file is missing.
    """
    info = probe(request.clip.path)
    template = body_file.load(EMBEDDED_BODY, request.body)
    tools = Tools(
        template,
        # The chained solve is the processor's own work; the rest is small beside it.
        torch.device("cpu"),
        height_m=request.height_m,
        pose_prior=assets.locate(POSE_PRIORS[request.pose_prior]),
    )
    estimate = ESTIMATORS[request.estimator](tools, request.options)
    people = find_people(request.clip, info, report=report)
    estimated = estimate(people, _camera(info, request.focal_px), report)
    return Capture(
        camera=estimated.camera,
        takes=(Take(TAKE, estimated.motions),),
        provenance=_provenance(request, info, template),
    )


def find_people(clip: Clip, info: VideoInfo, *, report: Report) -> list[Person]:
    """Everybody who is in `clip` for long enough, the most prominent first.

    Raises:
        NobodyFound: nobody is.
    """
    people = follow(
        read_frames(clip),
        detector=BlazePose(),
        report=report,
        expected_frames=_expected_frames(clip, info),
    )
    if not people:
        raise NobodyFound(
            f"nobody was found in {Path(clip.path).name}",
            hint="A person should be at least a tenth of the picture's height, mostly in view, "
            "for half a second or more.",
        )
    return people


def _expected_frames(clip: Clip, info: VideoInfo) -> int | None:
    if info.duration_s is None or info.fps is None:
        return info.frame_count
    span = min(clip.stop_s, info.duration_s) - clip.start_s
    return max(1, math.ceil(span * info.fps)) if span > 0 else None


def _camera(info: VideoInfo, focal_px: float | None) -> Camera:
    """The camera of the video; by default about as wide as most are."""
    width, height = info.size_px
    return Camera(
        focal_px=focal_px or USUAL_FOCAL * math.hypot(width, height),
        center_px=np.array([(width - 1) / 2, (height - 1) / 2]),
        size_px=info.size_px,
    )


def _provenance(request: CaptureRequest, info: VideoInfo, template: BodyTemplate) -> dict[str, Any]:
    """Where a result comes from, so that it can be made again and shown to a lawyer."""
    method = METHODS[request.estimator]
    # The prior that was chosen stands where the method names its own.
    chosen = {POSE_PRIORS["embedded"]: POSE_PRIORS[request.pose_prior]}
    files = [assets.asset_named(chosen.get(name, name)) for name in method.needs]
    return {
        "request": request.to_json(),
        "source": {
            "name": Path(request.clip.path).name,
            "fps": None if info.fps is None else str(info.fps),
            "rotation_deg": info.rotation_deg,
        },
        "body": {"name": template.name, "licence": template.licence},
        "method": {"key": method.key, "label": method.label, "licence": method.licence},
        "files": {
            each.name: {"sha256": _checksum(assets.locate(each.name)), "licence": each.licence}
            for each in files
        },
        "versions": {
            name: metadata.version(name) for name in ("stripmocap", "torch", "numpy", "av")
        },
    }


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
