"""Motions for HuMoR to learn from: stretches of free mocap on the embedded body, with contacts.

Pieces of clips, each also mirrored, a little slower and faster than they were, on people of all
shapes. Ways are stretched with the legs, so that feet stay on the floor; the floor is where a
clip's lowest soles are. A joint touches something while it rests near the floor (Rempe et
al., "HuMoR", ICCV 2021, supplement). World axes: z up, the floor at 0; metres, 30 frames a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import torch
from torch import Generator, Tensor

from ..contract.skeleton import BETAS_COUNT, BLAZEPOSE_NAMES, JOINT_NAMES, mirrored
from ..geometry.rotations import aa_to_matrix, aa_to_quat, quat_to_matrix
from ..methods.humor.motion import states_of
from ..methods.humor.state import CONTACT_JOINTS, CONTACT_NAMES, JOINTS, STATE_NUMBERS, State
from .mocap import Clip, Clips, shares
from .poses import FEET, HANDS, PARTS, WRISTS
from .standing import FLAT_M, SOLE_PERCENTILE
from .synthetic import LandmarkBody, draw_betas

SOURCE_DROP_M = 0.87  # from pelvis down to ankles in the data's own rest offsets
SPEEDS = (0.75, 1.35)  # of playing a piece back; gravity would be noticed beyond
REST_STEP_M = 0.0075  # a frame: joints that move less may touch; the paper has 0.005
# Below which they do: toes; knees, ankles, wrists. The paper has 0.04 and 0.08, for floors of its
# own finding; CMU's soles are up to 2 cm off ours, and half of all strides would be lost.
TOE_HEIGHT_M, HEIGHT_M = 0.07, 0.115
PELVIS_HEIGHT_M = 0.17  # below which people sit on the floor: the joint is that far inside
STANDING_SLACK_M = 0.06  # above the lowest soles of a clip, where feet that rest are on the floor
LEAST_STANDING = 10  # frames of them
SWAPPED_SHARE = 0.25  # people who have somebody else's arms, or upper body: the data are few
CLEANED_FRAMES = 3  # of touching, or of a gap in it, that count
UNKNOWN_FEET_FLOOR_M = 0.0  # where the floor stays, where feet cannot be told
UNKNOWN_FEET_SHARE = 0.5  # of their weight that clips with untold feet keep
WRIST_SHARE = 0.1  # of the loss on wrists' rotations, whose twist is unreliable everywhere
FOOT_LANDMARKS = slice(29, 33)  # heels and toe tips among BlazePose's 33
_SWAPPED = (("left_arm", "right_arm"), ("trunk", "left_arm", "right_arm"))  # half of them each
_ANKLES = [JOINT_NAMES.index("left_ankle"), JOINT_NAMES.index("right_ankle")]
_TOES = [JOINT_NAMES.index("left_foot"), JOINT_NAMES.index("right_foot")]
_MIRRORED_JOINTS = [JOINT_NAMES.index(mirrored(name)) for name in JOINT_NAMES]
_MIRRORED_CONTACTS = [CONTACT_NAMES.index(mirrored(name)) for name in CONTACT_NAMES]


@dataclass(frozen=True, eq=False)
class Stretches:
    """N people over T moments."""

    states: State  # (N, T) world
    contacts: Tensor  # (N, T, 9) 0 or 1
    feet: Tensor  # (N,) bool, whether ankles and toes are known
    betas: Tensor  # (N, 10)


@dataclass(frozen=True, eq=False)
class StretchBank:
    """The clips end to end, and where a piece may begin."""

    quats: Tensor  # (F, 24, 4) wxyz, of one sign within a clip
    path: Tensor  # (F, 3) metres, the pelvis of a person whose ankles are 1 m below it at rest
    contacts: Tensor  # (F, 9) 0 or 1
    first: Tensor  # (C,) where each clip begins
    length: Tensor  # (C,) frames
    feet: Tensor  # (C,) bool
    reached: Tensor  # (C,) the clips' weights added up, in [0, 1]
    body: LandmarkBody  # on the CPU

    @classmethod
    @torch.no_grad()
    def of(cls, clips: Clips, body: LandmarkBody) -> StretchBank:
        """The bank of `clips`; a kind and a clip that are long weigh less than they last."""
        quats = [_one_sign(_pose(clip)) for clip in clips]
        ways = [_on_the_floor(clip, body) for clip in clips]
        length = torch.tensor([len(each) for each in quats])
        feet = torch.tensor([clip.feet_ok for clip in clips])
        weight = torch.tensor(shares(clips), dtype=torch.float64)
        weight = torch.where(feet, weight, UNKNOWN_FEET_SHARE * weight)
        reached = weight.cumsum(0) / weight.sum()
        return cls(
            torch.cat(quats),
            torch.cat([path for path, _ in ways]),
            torch.cat([contacts for _, contacts in ways]),
            length.cumsum(0) - length,
            length,
            feet,
            reached.float(),
            body,
        )

    @torch.no_grad()
    def draw(self, people: int, moments: int, generator: Generator) -> Stretches:
        """Stretches that somebody made, mirrored for every other person."""
        least, most = SPEEDS
        speed = least + (most - least) * torch.rand(people, generator=generator)
        drawn = torch.rand(people, 2, generator=generator)
        clip = torch.searchsorted(self.reached, drawn[:, 0].contiguous())
        clip = clip.clamp(max=len(self.length) - 1)
        # A clip that is too short is played as slowly as it must be, but never past its ends.
        frames = moments + 2
        speed = torch.minimum(speed, (self.length[clip] - 1) / (frames - 1))
        slack = self.length[clip] - 1 - speed * (frames - 1)
        at = (drawn[:, 1] * slack)[:, None] + speed[:, None] * torch.arange(frames)
        flipped = torch.rand(people, generator=generator) < 0.5
        betas = draw_betas(people, generator)
        return self._stretches(clip, at, flipped=flipped, betas=betas)

    def _stretches(self, clip: Tensor, at: Tensor, *, flipped: Tensor, betas: Tensor) -> Stretches:
        """Stretches of clips (N,) at frames (N, T + 2) of them; the ends only tell velocities."""
        rows, weights = self._neighbours(clip, at)
        turns = quat_to_matrix(torch.einsum("ntk,ntkji->ntji", weights, self.quats[rows]))
        path = torch.einsum("ntk,ntki->nti", weights, self.path[rows])
        contacts = self.contacts[rows[..., 1:3]].gather(
            2, (at - at.floor() > 0.5).long()[..., None, None].expand(-1, -1, 1, 9)
        )[:, :, 0]
        turns, path, contacts = _mirrored_where(flipped, turns, path, contacts)
        _swap(turns)
        path = path * drop_of(self.body, betas)[:, None, None]
        states = stood(self.body, turns, path=path, betas=betas)
        inner = State(states.numbers[:, 1:-1].contiguous())
        return Stretches(inner, contacts[:, 1:-1], self.feet[clip], betas)

    def _neighbours(self, clip: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
        """(N, T, 4) frames about each time, and what they weigh in a smooth curve through them."""
        last = (self.length[clip] - 1)[:, None]
        before = at.floor().long().clamp(min=0)
        share = at - before
        steps = torch.arange(-1, 3)
        rows = (before[..., None] + steps).clamp(min=0).minimum(last[..., None])
        return self.first[clip][:, None, None] + rows, _catmull_rom(share)


def stood(body: LandmarkBody, turns: Tensor, *, path: Tensor, betas: Tensor) -> State:
    """(N, T) states of people whose pelvises are on paths.

    Args:
        body: whose joints they have.
        turns: (N, T, 24, 3, 3) pelvis to world first, then joints to their parents.
        path: (N, T, 3) metres, world.
        betas: (N, 10).
    """
    joints, _ = body.stand(turns, betas=betas[:, None].expand(-1, turns.shape[1], -1))
    transl = path - joints[..., 0, :]
    joints = joints[..., :JOINTS, :] + transl[..., None, :]
    return states_of(
        transl=transl,
        global_orient=turns[..., 0, :, :],
        body_pose=turns[..., 1:JOINTS, :, :],
        joints=joints,
    )


def drop_of(body: LandmarkBody, betas: Tensor) -> Tensor:
    """(N,) metres from pelvis down to ankles at rest, of shapes (N, 10)."""
    joints, _ = body.stand(torch.eye(3).expand(len(betas), 24, 3, 3), betas=betas)
    return joints[:, 0, 1] - joints[:, _ANKLES, 1].mean(dim=1)


def flat_heights() -> Tensor:
    """(4,) metres of `FOOT_LANDMARKS` where soles lie flat on the floor."""
    names = BLAZEPOSE_NAMES[FOOT_LANDMARKS]
    return torch.tensor([FLAT_M[name.split("_", 1)[1]] for name in names])


def known_numbers(feet: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 339) and (N, 9) how far numbers of a state, and contacts, are to be trusted.

    Args:
        feet: (N,) bool, whether ankles and toes are known.
    """
    whole, part = torch.ones(STATE_NUMBERS), torch.ones(STATE_NUMBERS)
    for numbers, joints in ((whole, ()), (part, FEET)):
        parts = State(numbers)  # views
        parts.body_pose[[joint - 1 for joint in joints]] = 0.0
        parts.body_pose[[joint - 1 for joint in WRISTS]] = WRIST_SHARE
    hidden = State(part)
    hidden.joints[_TOES] = 0.0
    hidden.joints_vel[_TOES] = 0.0
    touching = torch.tensor([float(joint not in FEET) for joint in CONTACT_JOINTS])
    contacts = torch.where(feet[:, None], torch.ones(len(touching)), touching)
    return torch.where(feet[:, None], whole, part), contacts


def contacts_of(joints: Tensor) -> Tensor:
    """(T, 9) 0 or 1, whether joints (T, 22 or more, 3) touch the floor: at rest, and near it."""
    places = joints[:, list(CONTACT_JOINTS)]
    height = torch.tensor([_height_of(name) for name in CONTACT_NAMES])
    touching = ((_steps(places) < REST_STEP_M) & (places[..., 2] < height)).numpy()
    length = np.ones((CLEANED_FRAMES, 1), dtype=bool)
    closed = scipy.ndimage.binary_closing(touching, length) | touching
    return torch.tensor(scipy.ndimage.binary_opening(closed, length), dtype=torch.float32)


def _height_of(name: str) -> float:
    if name == "pelvis":
        return PELVIS_HEIGHT_M
    return TOE_HEIGHT_M if name.endswith("foot") else HEIGHT_M


def _pose(clip: Clip) -> np.ndarray:
    pose = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
    pose[:, HANDS] = 0.0
    return pose


def _on_the_floor(clip: Clip, body: LandmarkBody) -> tuple[Tensor, Tensor]:
    """(T, 3) the pelvis' way, of a person whose drop is 1 m, and (T, 9) contacts."""
    turns = aa_to_matrix(torch.tensor(_pose(clip), dtype=torch.float32))
    usual = torch.zeros(1, BETAS_COUNT)
    drop = drop_of(body, usual)
    path = torch.tensor(clip.pelvis, dtype=torch.float32) * (drop / SOURCE_DROP_M)
    joints, landmarks = body.stand(turns, betas=usual.expand(len(turns), -1))
    transl = path - joints[:, 0]
    joints = joints + transl[:, None]
    soles = landmarks[:, FOOT_LANDMARKS, 2] - flat_heights() + transl[:, None, 2]
    joints[..., 2] -= _floor_of(joints, soles) if clip.feet_ok else UNKNOWN_FEET_FLOOR_M
    return joints[:, 0] / drop, contacts_of(joints)


def _floor_of(joints: Tensor, soles: Tensor) -> float:
    """Metres: how high soles (T, 4) are while feet are at rest, and near the lowest they get.

    Where feet hardly rest, as in running, it is the lowest that they get.
    """
    lowest = soles.amin(dim=1)
    least = float(lowest.quantile(SOLE_PERCENTILE / 100))
    resting = _steps(joints[:, _TOES]).amin(dim=1) < REST_STEP_M
    standing = lowest[resting & (lowest < least + STANDING_SLACK_M)]
    return float(standing.median()) if len(standing) >= LEAST_STANDING else least


def _steps(places: Tensor) -> Tensor:
    """(T, P) metres a frame that points (T, P, 3) move, before and after on average."""
    steps = places.diff(dim=0).norm(dim=-1)
    return torch.cat([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])


def _one_sign(poses: np.ndarray) -> Tensor:
    """(T, 24, 4) quaternions of axis-angles (T, 24, 3) that do not jump to their negatives."""
    quats = aa_to_quat(torch.tensor(poses))
    turned = torch.ones_like(quats[..., :1])
    turned[1:] = (quats[1:] * quats[:-1]).sum(dim=-1, keepdim=True).sign()
    turned[turned == 0] = 1.0
    return (quats * turned.cumprod(dim=0)).float()


def _catmull_rom(share: Tensor) -> Tensor:
    """(..., 4) weights of neighbours at -1, 0, 1, 2 for a place (...) between 0 and 1."""
    once, twice, thrice = share, share.square(), share**3
    weights = (
        (-once + 2 * twice - thrice) / 2,
        (2 - 5 * twice + 3 * thrice) / 2,
        (once + 4 * twice - 3 * thrice) / 2,
        (thrice - twice) / 2,
    )
    return torch.stack(weights, dim=-1)


def _swap(turns: Tensor) -> None:
    """Gives some of N people (N, T, 24, 3, 3), in place, the upper bodies of those after them."""
    each = round(SWAPPED_SHARE * len(turns) / len(_SWAPPED))
    others = turns.roll(-1, dims=0)
    for number, parts in enumerate(_SWAPPED):
        rows = slice(number * each, (number + 1) * each)
        joints = [JOINT_NAMES.index(name) for part in parts for name in PARTS[part]]
        turns[rows, :, joints] = others[rows, :, joints]


def _mirrored_where(
    flipped: Tensor, turns: Tensor, path: Tensor, contacts: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The motions (N, T, ...) with left and right, and the world's x, exchanged for some of N."""
    signs = torch.tensor([-1.0, 1.0, 1.0])
    other = turns[:, :, _MIRRORED_JOINTS] * signs[:, None] * signs
    some = flipped[:, None, None]
    return (
        torch.where(some[..., None, None], other, turns),
        torch.where(some, path * signs, path),
        torch.where(some, contacts[..., _MIRRORED_CONTACTS], contacts),
    )
