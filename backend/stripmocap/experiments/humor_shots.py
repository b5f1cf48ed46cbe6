"""Held-out shots that stand on a floor, with spells in which things hide limbs on purpose.

A spell comes at the same moments of every shot (`vibe_spells`); what it hides changes from spell to
spell: the legs, one side, all below the chest. Which joints are hidden when is known exactly. Some
cameras are drawn anyhow, even upside down: no method looks for a floor there, so they are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from ..contract.motion import Camera
from ..contract.skeleton import BLAZEPOSE_NAMES, LIMB_JOINTS
from ..evaluation.cases import spread
from ..evaluation.mocap_cases import truth_of
from ..evaluation.truth import Truth
from ..training.mocap import FPS, Clip, load_clips
from ..training.occlusion import Things
from ..training.shots import Hide, Shot, shot_of
from ..training.standing import standing
from ..training.synthetic import LandmarkBody
from .vibe_shots import camera_of
from .vibe_spells import inside, nothing, runs

HIDDEN_S = 0.8  # each spell lasts so long
LEAST_S, MOST_S = 3.0, 5.0  # of a clip: shorter ones are left out, longer ones cut
HELD_UP = 0.5  # least cosine between the picture's up and the world's, of a camera that is held
_ROOM = 0.05  # of the person's size, that a thing stands over what it hides
_LEG = ("knee", "ankle", "heel", "foot_index")
_ARM = ("elbow", "wrist", "pinky", "index", "thumb")
_BOTH = ("left", "right")
# What one spell after the other hides: parts of which sides.
PARTS: Sequence[tuple[tuple[str, ...], tuple[str, ...]]] = (
    (_LEG, _BOTH),
    (("shoulder", *_ARM), ("left",)),
    (("hip", *_LEG), _BOTH),
    (("shoulder", "hip", *_ARM, *_LEG), ("right",)),
)
_LIMBS = [BLAZEPOSE_NAMES.index(name) for name in LIMB_JOINTS]


@dataclass(frozen=True, eq=False)
class FloorShot:
    """A shot whose person stands on the floor z = 0 of the truth's world."""

    shot: Shot
    truth: Truth
    hidden: np.ndarray  # (T, 12) bool, limb joints that a thing covers or the picture leaves out

    @property
    def camera(self) -> Camera:
        """As the program would believe it."""
        return camera_of(self.shot)

    @property
    def is_upright(self) -> bool:
        """Whether the camera is held more or less upright, so that the floor is below."""
        up = self.truth.rotation[:, 2]  # the world's, in camera axes, of which y points down
        return bool(-up[1] > HELD_UP)


def floor_shots(
    folder: Path,
    body: LandmarkBody,
    *,
    split: str,
    seed: int,
    at_most: int | None = None,
    seconds: float = MOST_S,
) -> list[FloorShot]:
    """Upright shots of the clips of a split whose feet are known, or `at_most`, spread evenly.

    Each is of the first `seconds` of a clip.

    Raises:
        AssetMissing, AssetCorrupt: the folder holds no such clips.
    """
    clips = [each for each in load_clips(folder, split) if each.feet_ok]
    clips = [cut(each, seconds=seconds) for each in clips if len(each.pelvis) >= LEAST_S * FPS]
    shots = [floor_shot(each, body, seed=seed) for each in clips]
    return spread([each for each in shots if each.is_upright], at_most)


def cut(clip: Clip, *, seconds: float = MOST_S) -> Clip:
    """The first `seconds` of a clip."""
    some = slice(round(seconds * FPS))
    return replace(
        clip,
        body_pose=clip.body_pose[some],
        global_orient=clip.global_orient[some],
        pelvis=clip.pelvis[some],
    )


def floor_shot(clip: Clip, body: LandmarkBody, *, seed: int) -> FloorShot:
    """The shot of one clip."""
    clip = standing(clip, body, seed=seed)
    hide = hidden_by_turns(inside(len(clip.pelvis), length_s=HIDDEN_S))
    shot = shot_of(clip, body, seed=seed, hide=hide)
    places = shot.samples.clean
    covered = hide(places, torch.Generator()).cover(places)
    outside = ((places < 0) | (places > torch.tensor(shot.size_px))).any(dim=-1)
    return FloorShot(shot, truth_of(shot, clip), (covered | outside)[:, _LIMBS].numpy())


def hidden_by_turns(spell: Tensor) -> Hide:
    """Things that stand still during each run of `spell` (T,) and hide one of `PARTS` each."""

    def hide(places: Tensor, _: Generator) -> Things:
        things = nothing(places, _)
        for number, (first, last) in enumerate(runs(spell)):
            some = places[first:last]
            size = (some.amax(dim=1) - some.amin(dim=1)).amax()
            part = some[:, _landmarks(number)].flatten(0, 1)
            low, high = part.amin(dim=0), part.amax(dim=0)
            things.middle[first:last] = (low + high) / 2
            things.half[first:last] = (high - low) / 2 + _ROOM * size
        return things

    return hide


def _landmarks(number: int) -> list[int]:
    parts, sides = PARTS[number % len(PARTS)]
    return [BLAZEPOSE_NAMES.index(f"{side}_{part}") for side in sides for part in parts]
