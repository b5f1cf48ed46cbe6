"""Where a result comes from: for people, and as the key under which a step's output is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from . import assets
from .contract.body_file import BodyTemplate
from .contract.messages import CaptureRequest, Clip
from .contract.methods import POSE_PRIORS, Method
from .video.frames import VideoInfo, files_of

# Raised by hand whenever the same request would give another result (a house test reminds).
PEOPLE_CODE = 2
FRAME_CODE = 3
TIME_CODE = 2
FIT_CODE = 5
REFINE_CODE = 2
_EYES = ("blazepose_detector", "blazepose_landmarks")
_EYES_USE = ("av", "opencv-python-headless", "ai-edge-litert", "numpy")
_NETWORKS = (
    *("spin_embedded", "spin_official", "vibe_embedded", "vibe_official"),
    *("humor_embedded", "humor_pose_embedded", "humor_start_embedded"),
    *("humor_official", "humor_initial", "vposer_official"),
)
_METHODS_USE = ("torch", "scipy", "numpy")


def provenance(
    request: CaptureRequest, info: VideoInfo, template: BodyTemplate | None
) -> dict[str, Any]:
    """Where a result comes from, so that it can be made again and shown to a lawyer.

    Args:
        request: what is asked for.
        info: what the footage says of itself.
        template: the body that is captured; None: people are only looked for.

    Raises:
        AssetMissing, AssetCorrupt: a file that the method needs cannot be had.
    """
    names = [*_EYES, *(name for each in request.methods for name in _files_of(request, each))]
    files = [assets.asset_named(name) for name in dict.fromkeys(names)]
    # What the user has to bring is missed before anything is fetched for minutes.
    files.sort(key=lambda each: each.how == assets.FETCHED)
    return {
        "request": request.told(),
        "source": {
            "name": Path(request.clip.path).name,
            "fps": None if info.fps is None else str(info.fps),
            "rotation_deg": info.rotation_deg,
            "camera_poses": 0 if request.camera_path is None else len(request.camera_path.times_s),
        },
        "body": {"name": template.name, "licence": template.licence} if template else {},
        "methods": [
            {
                "key": each.key,
                "label": each.label,
                "licence": each.weights[request.weights].licence,
            }
            for each in request.methods
        ],
        "files": {
            each.name: {"sha256": _checksum(assets.locate(each.name)), "licence": each.licence}
            for each in files
        },
        "versions": {
            name: metadata.version(name) for name in ("stripmocap", "torch", "numpy", "av")
        },
    }


def what_sight_depends_on(clip: Clip, sums: Mapping[str, str]) -> dict[str, Any]:
    """Everything that `people` depend on, but for the content of the footage."""
    return {
        "code": PEOPLE_CODE,
        "span_s": [clip.start_s, clip.stop_s],
        "numbers": files_of(clip.path)[1],
        "weights": {name: sums[name] for name in _EYES},
        "versions": {name: metadata.version(name) for name in _EYES_USE},
    }


def what_a_method_depends_on(
    request: CaptureRequest, method: Method, sums: Mapping[str, str], *, window: int
) -> dict[str, Any]:
    """Everything that one of the request's methods depends on, but for what it is called with."""
    weights = [name for name in _files_of(request, method) if name not in _EYES]
    codes = {"frame": FRAME_CODE, "temporal": TIME_CODE, "fitted": FIT_CODE, "refined": REFINE_CODE}
    return {
        "code": codes[method.take],
        "method": method.key,
        "options": asdict(request.options_of(method)),
        "body": request.body,
        "height_m": request.height_m,
        "frames_at_once": window,
        "weights": {name: sums[name] for name in weights},
        "versions": {name: metadata.version(name) for name in _METHODS_USE},
    }


def networks_of(request: CaptureRequest, method: Method) -> list[str]:
    """The names of the files with the weights of the networks of `method`, its own first."""
    return [name for name in _files_of(request, method) if name in _NETWORKS]


def _files_of(request: CaptureRequest, method: Method) -> list[str]:
    """Names of the files that `method` needs: what was chosen stands where it names the usual."""
    chosen = {
        POSE_PRIORS["embedded"]: POSE_PRIORS[request.pose_prior],
        "smpl_neutral": f"smpl_{request.body}",
    }
    needed = method.weights[request.weights].needed(request.options_of(method))
    return [chosen.get(name, name) for name in needed]


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
