import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.humor.floor import Floor, PriorFrame
from torch.testing import assert_close


def level():
    """A floor 1.5 m below a level camera, y down; and a body that faces it, 3 m away."""
    floor = Floor.of(torch.tensor([[0.0, 1.5, 0.0]], dtype=torch.float64))
    transl = torch.tensor([[0.4, 0.6, 3.0]], dtype=torch.float64)
    orient = aa_to_matrix(torch.tensor([[torch.pi, 0.0, 0.0]], dtype=torch.float64))
    return floor, transl, orient


def test_a_floor_has_a_normal_up_whichever_side_of_it_the_camera_is():
    below = Floor.of(torch.tensor([0.0, 2.0, 0.0]))
    above = Floor.of(torch.tensor([0.0, -2.0, 0.0]))

    for floor in (below, above):
        assert_close(floor.normal, torch.tensor([0.0, -1.0, 0.0]))
    assert (below.height, above.height) == (-2, 2)


def test_a_level_floor_gives_the_frame_worked_out_by_hand():
    floor, transl, orient = level()

    frame = PriorFrame.under(floor, transl=transl, global_orient=orient)

    # The body faces the camera: its right is the camera's left, its forward towards the camera.
    points = torch.tensor([[[0.4, 1.5, 3.0], [0.4, 0.5, 3.0], [0.1, 1.5, 2.0]]]).double()
    expected = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.3, 1.0, 0.0]]]).double()
    assert_close(frame.enter(points), expected)


def test_leaving_is_the_inverse_of_entering():
    floor, transl, orient = level()
    frame = PriorFrame.under(floor, transl=transl, global_orient=orient)
    points = torch.randn(1, 9, 3, dtype=torch.float64)

    assert_close(frame.leave(frame.enter(points)), points)


def test_moving_the_camera_changes_nothing_in_the_frame():
    floor, transl, orient = level()
    turn = aa_to_matrix(torch.tensor([0.2, -0.1, 0.15], dtype=torch.float64))
    step = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)
    normal = floor.normal @ turn.mT
    moved = Floor(normal, floor.height + (normal * step).sum(dim=-1))
    points = torch.randn(1, 9, 3, dtype=torch.float64)

    frame = PriorFrame.under(floor, transl=transl, global_orient=orient)
    other = PriorFrame.under(moved, transl=transl @ turn.mT + step, global_orient=turn @ orient)

    assert_close(other.enter(points @ turn.mT + step), frame.enter(points))


def test_gradients_reach_floor_and_body():
    floor, transl, orient = level()
    nearest = (floor.normal * floor.height.unsqueeze(-1) + 0.1).detach()
    inputs = tuple(each.clone().requires_grad_(True) for each in (nearest, transl, orient))

    def placed(nearest, transl, orient):
        frame = PriorFrame.under(Floor.of(nearest), transl=transl, global_orient=orient)
        return frame.enter(torch.ones(1, 2, 3, dtype=torch.float64))

    assert torch.autograd.gradcheck(placed, inputs)


def test_one_floor_serves_several_people():
    floor, transl, orient = level()
    people = torch.cat([transl, transl + 1])
    points = torch.randn(2, 9, 3, dtype=torch.float64)

    both = PriorFrame.under(floor, transl=people, global_orient=orient.expand(2, 3, 3))

    second = PriorFrame.under(floor, transl=people[1:], global_orient=orient)
    assert_close(both.enter(points)[1:], second.enter(points[1:]))
