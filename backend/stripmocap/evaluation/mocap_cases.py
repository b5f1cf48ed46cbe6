"""Motion capture as cases: clips before drawn cameras, as the detector would report them.

There are no pictures. A method gets keypoints whose errors are those measured of the detector
(`training/shots.py`), and the focal length that the program would believe. The truth's world is the
mocap's own, so feet are known where the clip's feet are right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .. import assets, bodies
from ..body.model import Body
from ..contract.body_file import BodyTemplate
from ..contract.errors import RequestError
from ..contract.messages import CaptureRequest, Clip
from ..contract.methods import POSE_PRIORS
from ..contract.motion import Camera, Capture, Take
from ..contract.skeleton import JOINT_NAMES, LIMB_JOINTS
from ..geometry.rotations import aa_to_matrix
from ..methods.catalogue import ESTIMATORS
from ..methods.toolbox import Estimate, Estimator, Tools
from ..pipeline import Report
from ..training.mocap import Clip as MocapClip
from ..training.mocap import load_clips
from ..training.shots import Shot, shot_of
from ..training.synthetic import LandmarkBody
from .cases import spread
from .comparison import TakeScores, compare_only
from .metrics import FOOT_POINTS
from .truth import Truth

_LIMBS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
_FEET = [JOINT_NAMES.index(name.replace("toe", "foot")) for name in FOOT_POINTS]


class Bench:
    """The methods that cases are handed to, each loaded once; on the embedded body only."""

    def __init__(self, *, networks: Mapping[str, Path] | None = None) -> None:
        """An empty bench.

        Args:
            networks: weights by the key of the method that they are for, in place of shipped ones.
        """
        self._networks = networks or {}
        self._loaded: dict[CaptureRequest, list[tuple[str, Estimator]]] = {}
        self._templates: dict[str, BodyTemplate] = {}

    def template(self, gender: str) -> BodyTemplate:
        """The embedded body of `gender`."""
        if gender not in self._templates:
            self._templates[gender] = bodies.embedded(gender)
        return self._templates[gender]

    def ways(self, method: CaptureRequest) -> list[tuple[str, Estimator]]:
        """What runs, in order, each with the take that it makes.

        Raises:
            RequestError: the method looks at pictures.
            AssetMissing, AssetCorrupt: weights cannot be read.
        """
        if method.weights != "embedded":
            raise RequestError(
                f"{method.weights} weights look at pictures, and mocap has none",
                hint="Use --weights embedded, or evaluate footage.",
            )
        if method not in self._loaded:
            tools = Tools(
                self.template(method.body),
                torch.device("cpu"),
                height_m=method.height_m,
                pose_prior=assets.locate(POSE_PRIORS[method.pose_prior]),
            )
            self._loaded[method] = [
                (
                    each.take,
                    ESTIMATORS[each.key][method.weights](
                        replace(tools, network=self._networks.get(each.key)),
                        method.options_of(each),
                    ),
                )
                for each in method.methods
            ]
        return self._loaded[method]


@dataclass(frozen=True, eq=False)
class MocapCase:
    """One clip of motion capture before one camera."""

    shot: Shot
    truths: tuple[Truth, ...]
    bench: Bench
    footage: Clip | None = None

    @property
    def name(self) -> str:
        """The clip's."""
        return self.shot.name

    @property
    def kind(self) -> str:
        """What is done in it."""
        return self.shot.kind

    def capture(self, method: CaptureRequest, *, report: Report) -> Capture:
        """What `method` makes of the keypoints."""
        samples = self.shot.samples
        camera = Camera(
            focal_px=method.focal_px or float(samples.focal[0]),
            center_px=samples.center[0].numpy(),
            size_px=self.shot.size_px,
        )
        takes: list[Take] = []
        estimate: Estimate | None = None
        for take, estimator in self.bench.ways(method):
            estimate = estimator([self.shot.person()], camera, report, start=estimate)
            takes.append(Take(take, estimate.motions))
        assert estimate is not None
        template = self.bench.template(method.body)
        origin = {
            "request": method.to_json(),
            "body": {"name": template.name, "licence": template.licence},
        }
        return Capture(camera=estimate.camera, takes=tuple(takes), provenance=origin)

    def compare(self, capture: Capture, truth: Truth, body: Body) -> list[TakeScores]:
        """The scores of the one person there is."""
        return compare_only(capture, truth, body)


def mocap_cases(
    folder: Path, *, bench: Bench, split: str = "test", seed: int = 0, at_most: int | None = None
) -> list[MocapCase]:
    """A case for each clip of a split, or for `at_most` of them, spread evenly.

    Raises:
        AssetMissing, AssetCorrupt: the folder holds no such clips.
    """
    clips = load_clips(folder, split)
    clips = spread(clips, at_most)
    body = LandmarkBody.from_template(bench.template("neutral"))
    shots = [(clip, shot_of(clip, body, seed=seed)) for clip in clips]
    return [MocapCase(shot, (truth_of(shot, clip),), bench) for clip, shot in shots]


def truth_of(shot: Shot, clip: MocapClip) -> Truth:
    """What really happened in `shot`, in the world of its `clip`."""
    joints = shot.samples.joints.double().numpy()
    from_world = _turn(shot.samples.rotmat[0, 0], clip).numpy()  # world -> camera
    translation = joints[0, 0] - from_world @ clip.pelvis[0]
    world = (joints - translation) @ from_world
    feet = world[:, _FEET]
    if not clip.feet_ok:
        feet = np.full_like(feet, np.nan)
    return Truth(
        camera_name="drawn",
        person_name=shot.name,
        fps=shot.fps,
        limbs_world=world[:, _LIMBS],
        valid=np.ones((len(world), len(_LIMBS)), dtype=bool),
        feet_world=feet,
        intrinsics=_intrinsics(shot),
        distortion=np.zeros(4),
        rotation=from_world,
        translation=translation,
    )


def _turn(pelvis_to_camera: Tensor, clip: MocapClip) -> Tensor:
    """(3, 3) world to camera, from how the first frame's pelvis stands in both."""
    pelvis_to_world = aa_to_matrix(torch.from_numpy(clip.global_orient[0]))
    turn = pelvis_to_camera.double() @ pelvis_to_world.mT
    left, _, right = torch.linalg.svd(turn)  # a rotation again, to the last digit
    return left @ right


def _intrinsics(shot: Shot) -> np.ndarray:
    x, y = shot.samples.center[0].tolist()
    return np.array([[shot.focal_px, 0, x], [0, shot.focal_px, y], [0, 0, 1]])
