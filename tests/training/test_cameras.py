import pytest
import torch
from stripmocap.training import cameras
from stripmocap.training.cameras import Cameras, draw_cameras, draw_places, draw_turns, seen_by
from torch.testing import assert_close

COUNT = 2000


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def people(generator):
    """Landmarks of boxes a metre and a half high, metres."""
    return (torch.rand(COUNT, 33, 3, generator=generator) - 0.5) * torch.tensor([0.6, 1.5, 0.4])


def test_turns_are_rotations(generator):
    turns = draw_turns(COUNT, generator)

    assert_close(turns @ turns.mT, torch.eye(3).expand_as(turns), atol=1e-5, rtol=0)
    assert_close(torch.linalg.det(turns), torch.ones(COUNT), atol=1e-5, rtol=0)


def test_most_people_stand_upright_in_the_picture(generator):
    up = draw_turns(COUNT, generator) @ torch.tensor([0.0, 0.0, 1.0])

    assert (up[:, 1] < -0.7).float().mean() > 0.85  # the camera's y points down


def test_cameras_look_down_more_often_than_up(generator):
    up = draw_turns(COUNT, generator) @ torch.tensor([0.0, 0.0, 1.0])

    assert up[:, 2].median() < 0  # the world's up leans towards the camera that looks down on it


def test_people_are_seen_from_all_around(generator):
    front = draw_turns(COUNT, generator) @ torch.tensor([1.0, 0.0, 0.0])
    angle = torch.atan2(front[:, 2], front[:, 0])

    assert torch.histc(angle, bins=8, min=-3.2, max=3.2).min() > COUNT / 16


def test_everybody_stands_before_the_camera_and_most_in_the_picture(people, generator):
    lenses = draw_cameras(COUNT, generator)

    placed = people + draw_places(people, lenses, generator)[:, None]

    assert placed[..., 2].min() >= cameras.NEAREST_M - 1e-4
    assert seen_by(placed, lenses)[1].float().mean() > 0.7


def test_some_are_cut_by_the_edge_and_some_are_small(people, generator):
    lenses = draw_cameras(COUNT, generator)

    placed = people + draw_places(people, lenses, generator)[:, None]
    places, inside = seen_by(placed, lenses)

    cut = ~inside.all(dim=1)
    size = (places.amax(dim=1) - places.amin(dim=1)).amax(dim=1) / lenses.size.amax(dim=1)
    assert 0.1 < cut.float().mean() < 0.6
    assert (size < 0.25).float().mean() > 0.1


def test_program_believes_its_usual_lens_unless_somebody_tells_it(generator):
    lenses = draw_cameras(COUNT, generator)

    usual = cameras.BELIEVED_LENS * lenses.size.norm(dim=1)
    share = torch.isclose(lenses.believed, usual).float().mean()
    assert abs(1 - share - cameras.TOLD_SHARE) < 0.05


def test_a_point_behind_the_camera_is_not_in_the_picture():
    one = Cameras(torch.tensor([[100.0, 100.0]]), torch.tensor([100.0]), torch.tensor([100.0]))

    _, inside = seen_by(torch.tensor([[[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]]), one)

    assert inside.tolist() == [[True, False]]
