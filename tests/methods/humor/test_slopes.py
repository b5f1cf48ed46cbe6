import pytest
import torch
from stripmocap.geometry.rotations import cross_matrix
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.methods.humor.slopes import by_turns, slopes
from stripmocap.methods.humor.state import ORIENT, POSE, State
from torch.autograd.functional import jacobian


@pytest.mark.parametrize("coasting", [0, 1])
def test_slopes_are_those_of_automatic_differentiation(draw, coasting):
    torch.manual_seed(0)
    sizes = Sizes(latent=6, hidden=64, layers=2, coasting=coasting)
    network = MotionPrior(sizes).double().eval().requires_grad_(False)
    past = draw(3)
    latents = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    found = slopes(network, past, latents)

    for i in range(3):
        zero = torch.zeros(207, dtype=torch.float64)

        def likely(change, i=i):
            return network.prior(turned(State(past.numbers[i]), change)).mean

        def led(change, latent, i=i):
            return network.decode(turned(State(past.numbers[i]), change), latent).numbers[:207]

        by_past, by_latent = jacobian(led, (zero, latents[i]))
        torch.testing.assert_close(found.likely[i], jacobian(likely, zero))
        torch.testing.assert_close(found.led[i], by_past)
        torch.testing.assert_close(found.led_latent[i], by_latent)


def test_a_turn_moves_a_rotation_by_its_cross_product(draw):
    state = draw(1)

    found = by_turns(torch.eye(339, dtype=torch.float64)[None, 6:9], state)  # a matrix' first row

    expected = cross_matrix(torch.eye(3, dtype=torch.float64)) @ state.global_orient
    torch.testing.assert_close(found[0, :, 6:9], expected[:, 0].mT)
    assert not found[0, :, 12:75].any()


def turned(state: State, change: torch.Tensor) -> State:
    """`state` changed to first order, in the order of a decoder's answer."""
    old = state.numbers
    orient = state.global_orient + cross_matrix(change[6:9]) @ state.global_orient
    turns = cross_matrix(change[12:75].view(-1, 3))
    pose = state.body_pose + turns @ state.body_pose
    parts = (
        old[: ORIENT.start] + change[:6],
        orient.flatten(),
        old[ORIENT.stop : POSE.start] + change[9:12],
        pose.flatten(),
        old[POSE.stop :] + change[75:],
    )
    return State(torch.cat(parts))
