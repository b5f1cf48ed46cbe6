import pytest
import torch
from stripmocap.methods.vibe.trusted_mean import TrustedMean
from torch.testing import assert_close

FEATURES, REACH = 6, 4


@pytest.fixture
def mean():
    torch.manual_seed(0)
    found = TrustedMean(FEATURES, reach=REACH)
    torch.nn.init.normal_(found.window)
    return found


def features(frames=20):
    return torch.randn(2, frames, FEATURES, generator=torch.Generator().manual_seed(1))


def sureness(frames=20):
    return torch.rand(2, frames, generator=torch.Generator().manual_seed(2))


def test_what_stays_is_its_own_mean(mean):
    still = features()[:, :1].expand(-1, 20, -1)

    assert_close(mean(still, sureness=sureness()), still)


def test_frames_out_of_reach_say_nothing(mean):
    seen = features()
    changed = seen.clone()
    changed[:, 10] += 5.0

    apart = (mean(changed, sureness=sureness()) - mean(seen, sureness=sureness())).abs()

    near = slice(10 - REACH, 11 + REACH)
    assert (apart[:, near].amax(dim=-1) > 0).all()
    assert (apart[:, : 10 - REACH] == 0).all()
    assert (apart[:, 11 + REACH :] == 0).all()


def test_a_frame_that_is_not_trusted_is_told_by_its_neighbours(mean):
    seen, sure = features(), torch.ones(2, 20)
    sure[:, 10] = 0.0
    wild = seen.clone()
    wild[:, 10] = 100.0

    found = mean(wild, sureness=sure)

    # Trust falls to a fiftieth.
    assert float(found[:, 10].abs().max()) < 15


def test_trembling_features_are_calmed():
    untaught = TrustedMean(FEATURES, reach=REACH)
    seen = features(200)

    found = untaught(seen, sureness=torch.ones(2, 200))

    assert float(found.diff(n=2, dim=1).std()) < 0.2 * float(seen.diff(n=2, dim=1).std())


def test_somebody_who_is_never_seen_has_features(mean):
    assert torch.isfinite(mean(features(), sureness=torch.zeros(2, 20))).all()
