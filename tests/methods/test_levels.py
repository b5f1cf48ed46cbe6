"""Who is on a level of their own, and who is not; and a fit of people on two levels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, walk
from stripmocap.body.model import Body
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.contract.methods import SmplifyOptions
from stripmocap.contract.motion import Motion
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.levels import climbed_from, own_level
from stripmocap.methods.smplify import fit
from stripmocap.methods.smplify.chain_terms import Chain, Links, Planted, add_planted
from stripmocap.methods.smplify.evidence import gather
from stripmocap.methods.smplify.states import UNKNOWNS
from stripmocap.methods.toolbox import Estimate, Tools
from stripmocap.people.observations import Person

TEMPLATE = body_file.load(EMBEDDED_BODY)

LEAST_M = 0.06


def feet_at(*heights: float, resting: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Of somebody whose left foot has these heights in turn, and whose right one is lifted."""
    left = np.repeat(heights, 20) + 0.02 * np.sin(np.arange(20 * len(heights)))
    feet = np.stack([left, left + 0.3], axis=1)
    rests = np.arange(len(left)) < resting * len(left)
    return feet, np.stack([rests, rests], axis=1)


def level_of(*heights: float, resting: float = 1.0) -> float:
    return own_level(*feet_at(*heights, resting=resting), least_m=LEAST_M)


@pytest.mark.parametrize("level_m", [-1.8, -0.1, 0.1, 0.4, 2.0])
def test_who_rests_at_one_height_is_on_that_level(level_m):
    assert level_of(level_m) == pytest.approx(level_m, abs=0.02)


def test_a_few_centimetres_are_no_level():
    assert level_of(0.04) == 0


def test_nobody_is_on_a_level_who_is_on_the_ground_as_long():
    assert level_of(0.0, 0.4) == 0
    assert level_of(0.0, 0.4, 0.4) == 0


def test_who_climbs_stairs_has_no_level():
    assert level_of(0.0, 0.2, 0.4, 0.6, 0.8) == 0


def test_a_step_aside_does_not_take_a_level_away():
    assert level_of(0.4, 0.4, 0.0, 0.4, 0.4) == pytest.approx(0.4, abs=0.02)


def test_who_hardly_rests_has_no_level():
    assert level_of(0.4, resting=0.1) == 0


def test_who_stays_on_a_stool_came_from_where_it_stands():
    feet, resting = feet_at(-0.45, 0.0, 0.0, 0.0)

    assert climbed_from(feet, resting) == pytest.approx(-0.45, abs=0.03)
    assert climbed_from(feet, resting & False) == 0


@pytest.mark.parametrize(
    "heights",
    [
        (0.0,) * 4,
        (-0.45,) * 4,  # never on that ground: a wrong size says as much
        (-0.45, *(0.0,) * 9),  # hardly ever below
        (-0.3, -0.6, -0.9, -1.2, 0.0),  # on no level below
        (0.5, 0.0, 0.0, 0.0),
    ],
)
def test_a_ground_that_nobody_climbed_to_stays(heights):
    assert climbed_from(*feet_at(*heights)) == 0


def standing(person: int, *, side_m: float = 0.0, up_m: float = 0.0) -> Person:
    """Somebody 4 m away who does not move, so much higher than others."""
    moving, first = walk(TEMPLATE, frames=20).person, walk(TEMPLATE, frames=1).person
    shift_px = CAMERA.focal_px / 4 * np.array([side_m, -up_m])  # y is down
    noise_px = np.random.default_rng(person).standard_normal((20, 33, 2))
    keypoints = first.keypoints.repeat(20, axis=0)
    keypoints[..., :2] += shift_px + noise_px
    landmarks = first.landmarks3d.repeat(20, axis=0)
    return replace(moving, person=person, keypoints=keypoints, landmarks3d=landmarks)


def fitted(*people: Person) -> Estimate:
    tools = Tools(TEMPLATE, torch.device("cpu"))
    return fit.load(tools, SmplifyOptions())(people, CAMERA, lambda *_: None)


def ankles_m(motion: Motion, found: Estimate) -> float:
    """How high over the ground the ankles are on average, metres."""
    joints = Body.from_template(TEMPLATE).joints(
        aa_to_matrix(torch.tensor(motion.global_orient)),
        aa_to_matrix(torch.tensor(motion.body_pose)),
        betas=torch.tensor(motion.betas),
        transl=torch.tensor(motion.transl),
    )
    world = found.camera.world_from_camera
    return float(world[2, :3] @ joints[:, 7:9].mean(dim=(0, 1)).numpy() + world[2, 3])


@pytest.mark.parametrize("up_m", [0.8, -0.8])
def test_who_stands_on_another_level_is_not_drawn_to_the_ground_of_others(up_m):
    ground, other = [standing(0), standing(1, side_m=0.7)], standing(2, side_m=-1.0, up_m=up_m)

    found = fitted(*ground, other)

    heights = [ankles_m(each, found) for each in found.motions]
    (alone,) = fitted(other).motions
    assert 0 < min(heights) < 0.15
    assert heights[1] - heights[0] == pytest.approx(0, abs=0.1)
    assert heights[2] - heights[0] == pytest.approx(up_m, abs=0.15)
    np.testing.assert_allclose(found.motions[2].body_pose, alone.body_pose, atol=0.15)


def test_a_passer_by_who_is_drawn_low_does_not_take_the_ground_from_under_others():
    ground = [standing(0), standing(1, side_m=0.7)]
    passing = standing(2, side_m=-1.0, up_m=-0.8)
    brief = {name: value[:4] for name, value in vars(passing).items() if name != "person"}

    found = fitted(*ground, replace(passing, **brief))

    heights = [ankles_m(each, found) for each in found.motions]
    assert 0 < max(heights) < 0.15
    assert heights[2] - heights[0] == pytest.approx(-0.8, abs=0.15)


def energy_of(*, height_m: float, level_m: float, contact: float) -> float:
    """Nats of feet that stay at a height, of somebody on a level."""
    evidence = gather([standing(0)], CAMERA, device=torch.device("cpu"), dtype=torch.float32)
    feet = torch.full((20, 4, 3), -height_m)  # y is down
    planted = Planted(
        contact=torch.full((20, 4), contact),
        normal=torch.tensor([0.0, -1.0, 0.0]),
        offset=0.0,
        levels=torch.full((20,), level_m),
    )
    chain, jacobian = Chain(feet), torch.zeros(20, 4, 3, UNKNOWNS)
    links = Links.between(evidence)
    add_planted(chain, feet, jacobian, planted=planted, links=links, weight=1.0)
    return float(chain.energy.sum())


def test_resting_feet_are_drawn_to_their_level_and_who_leaps_off_is_free():
    assert energy_of(height_m=0.5, level_m=0.5, contact=1.0) == 0
    assert energy_of(height_m=0.4, level_m=0.5, contact=1.0) > 10
    assert energy_of(height_m=0.1, level_m=0.5, contact=0.0) == 0
    assert energy_of(height_m=-0.1, level_m=0.0, contact=0.0) > 10
