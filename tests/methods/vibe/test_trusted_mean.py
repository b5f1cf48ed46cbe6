import pytest
import torch
from stripmocap.methods.vibe.trusted_mean import TrustedMean
from torch.testing import assert_close

PARTS, REACH = (3, 1, 2), 6
FEATURES = sum(PARTS)


@pytest.fixture
def mean():
    torch.manual_seed(0)
    found = TrustedMean(PARTS, reach=REACH)
    torch.nn.init.normal_(found.window)
    return found


def values(frames=20):
    return torch.randn(2, frames, FEATURES, generator=torch.Generator().manual_seed(1))


def trust(frames=20):
    return 0.1 + 0.9 * torch.rand(2, frames, 3, generator=torch.Generator().manual_seed(2))


def test_what_stays_is_its_own_mean(mean):
    still = values()[:, :1].expand(-1, 20, -1)

    assert_close(mean(still, trust=trust()), still, atol=1e-5, rtol=0)


def test_frames_out_of_reach_say_nothing(mean):
    seen = values()
    changed = seen.clone()
    changed[:, 10] += 5.0

    apart = (mean(changed, trust=trust()) - mean(seen, trust=trust())).abs()

    near = slice(10 - REACH, 11 + REACH)
    assert (apart[:, near].amax(dim=-1) > 0).all()
    assert (apart[:, : 10 - REACH] == 0).all()
    assert (apart[:, 11 + REACH :] == 0).all()


def test_a_part_that_is_lost_is_told_by_its_neighbours_and_the_others_are_not():
    untaught, seen, lost = TrustedMean(PARTS, reach=REACH), values(), torch.ones(2, 20, 3)
    lost[:, 9:12, 1] = 1e-6
    wild = seen.clone()
    wild[:, 9:12, 3] = 100.0

    found = untaught(wild, trust=lost)

    usual = untaught(seen, trust=torch.ones(2, 20, 3))
    assert float(found[:, 9:12, 3].detach().abs().max()) < 5
    assert_close(found[..., :3], usual[..., :3])
    assert_close(found[..., 4:], usual[..., 4:])


def test_what_moves_on_evenly_moves_on_where_it_is_lost():
    untaught = TrustedMean(PARTS, reach=REACH)
    even = torch.arange(40.0)[None, :, None].expand(1, -1, FEATURES)
    lost = torch.ones(1, 40, 3)
    lost[:, 18:23] = 1e-5

    found = untaught(even, trust=lost)

    # Half a frame at the edges of what is lost, where most neighbours are on one side.
    assert_close(found[:, 18:23], even[:, 18:23], atol=0.9, rtol=0)


def test_trembling_values_are_calmed():
    untaught = TrustedMean(PARTS, reach=REACH)
    seen = values(200)

    found = untaught(seen, trust=torch.ones(2, 200, 3))

    assert float(found.detach().diff(n=2, dim=1).std()) < 0.2 * float(seen.diff(n=2, dim=1).std())


def test_what_is_never_trusted_has_values_and_slopes(mean):
    seen = values().requires_grad_()

    found = mean(seen, trust=torch.full((2, 20, 3), 6e-6))
    found.sum().backward()

    assert torch.isfinite(found).all()
    assert seen.grad is not None
    assert torch.isfinite(seen.grad).all()
