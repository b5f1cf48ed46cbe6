import pytest
import torch
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from stripmocap.training.occlusion import (
    BEHIND,
    COVERED,
    OUTSIDE,
    SEEN,
    Things,
    behind_own_body,
    draw_things,
    state_of,
)
from stripmocap.training.synthetic import embedded_body

TOWARDS = torch.diag(torch.tensor([1.0, -1.0, -1.0]))  # upright, its face to the camera
AWAY = torch.diag(torch.tensor([-1.0, -1.0, 1.0]))


def stands(turn):
    """Joints and landmarks of the body in a T, four metres off."""
    rotmat = torch.eye(3).repeat(1, 24, 1, 1)
    rotmat[:, 0] = turn
    place = torch.tensor([[0.0, 0.0, 4.0]])
    return embedded_body().stand(rotmat, betas=torch.zeros(1, 10), transl=place)


@pytest.mark.parametrize(("turn", "hidden"), [(TOWARDS, False), (AWAY, True)])
def test_the_head_hides_its_face_from_behind_only(turn, hidden):
    joints, landmarks = stands(turn)

    behind = behind_own_body(landmarks, joints)[0]

    assert behind[BLAZEPOSE_NAMES.index("nose")] == hidden
    assert behind[BLAZEPOSE_NAMES.index("mouth_left")] == hidden


@pytest.mark.parametrize("turn", [TOWARDS, AWAY])
def test_spread_arms_are_seen(turn):
    joints, landmarks = stands(turn)

    behind = behind_own_body(landmarks, joints)[0]

    limbs = [BLAZEPOSE_NAMES.index(f"left_{part}") for part in ("elbow", "wrist", "knee", "ankle")]
    assert not behind[limbs].any()


def test_a_hand_behind_the_back_is_hidden():
    joints, _ = stands(TOWARDS)
    chest = joints[0, JOINT_NAMES.index("spine3")]
    hands = (chest + torch.tensor([[0.06, 0.1, 0.3], [0.06, 0.1, -0.3]]))[None]

    assert behind_own_body(hands, joints).tolist() == [[True, False]]


def test_a_turned_thing_covers_what_lies_inside_it():
    thing = Things(
        torch.tensor([[10.0, 10.0]]), torch.tensor([[10.0, 1.0]]), torch.tensor([torch.pi / 2])
    )

    covered = thing.cover(torch.tensor([[[10.0, 18.0], [18.0, 10.0]]]))

    assert covered.tolist() == [[True, False]]


def test_about_a_quarter_has_something_before_it():
    generator = torch.Generator().manual_seed(0)
    places = 100 * torch.rand(2000, 33, 2, generator=generator)

    things = draw_things(places, generator)

    there = (things.half[:, 0] > 0).float().mean()
    assert 0.2 < there < 0.36
    assert things.cover(places).any(dim=1).float().mean() > 0.5 * there


def test_out_of_the_picture_counts_before_covered_and_covered_before_behind():
    state = state_of(
        inside=torch.tensor([[True, True, True, False]]),
        covered=torch.tensor([[False, False, True, True]]),
        behind=torch.tensor([[False, True, True, True]]),
    )

    assert state.tolist() == [[SEEN, BEHIND, COVERED, OUTSIDE]]
