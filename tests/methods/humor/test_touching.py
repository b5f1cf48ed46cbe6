from dataclasses import replace

import torch
from fitscenes import loose_prior
from stripmocap.contract.skeleton import CONTACT_NAMES
from stripmocap.methods.humor.touching import (
    JOINT_HEIGHT,
    Touching,
    add_touching,
)
from stripmocap.methods.humor.touching import (
    resting as resting_by,
)
from stripmocap.methods.smplify.chain_terms import Chain
from stripmocap.methods.smplify.states import UNKNOWNS
from stripmocap.methods.smplify.subject import Subject
from toybody import toy_body

FRAMES = 4
TOUCHING = torch.tensor([name == "left_foot" for name in CONTACT_NAMES]).float()


def scene(chances: torch.Tensor, *, votes: float = 1.0, rests: float = 0.0) -> Touching:
    subject = Subject.from_template(toy_body(), loose_prior())
    return Touching.of(
        subject,
        chances.expand(FRAMES, 9),
        floor_votes=torch.full((FRAMES,), votes),
        rests=torch.full((FRAMES, len(subject.feet)), rests),
    )


def energy_of(points: torch.Tensor, touching: Touching) -> float:
    chain = Chain(points)
    jacobian = torch.zeros(*points.shape, UNKNOWNS)
    linked = torch.ones(FRAMES - 1, dtype=torch.bool)
    add_touching(chain, points, jacobian, touching=touching, linked=linked, weight=1.0)
    return float(chain.energy.sum())


def resting(touching: Touching) -> torch.Tensor:
    points = torch.zeros(FRAMES, len(touching.points), 3)
    points[..., 2] = touching.heights
    return points


def test_who_rests_on_the_floor_pays_nothing():
    touching = scene(torch.ones(9))

    assert energy_of(resting(touching), touching) == 0


def test_what_slides_pays_if_it_touches():
    touching = scene(TOUCHING)
    toes = touching.chances[0] > 0.5
    sliding, walking = resting(touching), resting(touching)
    sliding[:, toes, 0] += 0.01 * torch.arange(FRAMES)[:, None]
    walking[:, ~toes, 0] += 0.01 * torch.arange(FRAMES)[:, None]

    assert toes.sum() == 2  # the joint, and the landmark before it
    assert energy_of(sliding, touching) > 10
    assert energy_of(walking, touching) == 0


def test_soles_that_touch_are_drawn_to_the_floor_and_others_are_free():
    touching = scene(TOUCHING)
    lifted = resting(touching)
    lifted[..., 2] += 0.1

    assert energy_of(lifted, touching) > 1
    assert energy_of(lifted, scene(torch.zeros(9))) == 0


def test_nothing_is_under_the_floor_whether_it_touches_or_not():
    touching = scene(torch.zeros(9))
    sunk = resting(touching)
    sunk[:, 0, 2] = JOINT_HEIGHT - 0.05

    assert energy_of(sunk, touching) > 10


def test_a_floor_that_says_nothing_lets_through():
    touching = scene(torch.zeros(9))
    silent = replace(touching, floor_votes=torch.zeros(FRAMES))
    sunk = resting(touching) - 1.0

    assert energy_of(sunk, silent) == 0


def test_feet_that_are_seen_to_rest_stay_in_place_at_any_height_without_a_floor():
    touching = scene(TOUCHING, votes=0.0, rests=1.0)
    lifted, sliding = resting(touching) + 0.5, resting(touching)
    feet = touching.holds[0] > 0.5
    sliding[:, feet, 0] += 0.01 * torch.arange(FRAMES)[:, None]

    assert feet.sum() == 4  # landmarks alone
    assert energy_of(lifted, touching) == 0
    assert energy_of(sliding, touching) > 10
    assert energy_of(sliding, scene(TOUCHING, votes=0.0)) == 0


def test_feet_rest_that_are_still_where_they_stand_flat():
    subject = Subject.from_template(toy_body(), loose_prior())
    still = torch.eye(3).expand(FRAMES, 24, 3, 3)
    points = subject.body.points(still[:, 0], still[:, 1:], betas=torch.zeros(10))
    sole = (points[0, subject.feet, 1] - subject.feet_height).mean()
    joints = points[:, :24, [0, 2, 1]] - torch.tensor([0.0, 0.0, float(sole)])  # y is up at rest
    linked = torch.ones(FRAMES - 1, dtype=torch.bool)
    feet = torch.tensor([name.endswith(("ankle", "foot")) for name in CONTACT_NAMES])
    walking = joints + 0.05 * torch.arange(FRAMES)[:, None, None]

    standing = resting_by(subject, joints, linked=linked)

    torch.testing.assert_close(standing, feet.float().expand(FRAMES, 9), atol=0.05, rtol=0)
    assert (resting_by(subject, walking, linked=linked) < 0.01).all()
    assert (resting_by(subject, joints + 0.3, linked=linked) < 0.01).all()
