import pytest
import torch
from stripmocap.methods.hmr.regressor import Regressor, folded


@pytest.fixture
def regressor():
    torch.manual_seed(0)
    regressor = Regressor(24, hidden=32).eval()
    for each in regressor.parameters():
        torch.nn.init.normal_(each, std=0.15)
    return regressor


def test_an_untrained_regressor_answers_about_its_mean():
    torch.manual_seed(0)

    got = Regressor(24).eval()(torch.zeros(2, 24))

    assert (got.rotmat - torch.eye(3)).abs().mean() < 0.05
    assert (got.camera - torch.tensor([0.9, 0.0, 0.0])).abs().max() < 0.2


def test_every_rotation_is_one(regressor):
    rotmat = regressor(torch.randn(5, 24)).rotmat

    torch.testing.assert_close(rotmat @ rotmat.mT, torch.eye(3).expand_as(rotmat))
    torch.testing.assert_close(rotmat.det(), torch.ones(5, 24))


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_folding_changes_no_answer(regressor, iterations):
    features = torch.randn(7, 24)

    got = folded(regressor, iterations=iterations).affine(features)

    expected = regressor.states(features, iterations=iterations)[-1]
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_what_is_no_affine_map_is_not_folded():
    with pytest.raises(ValueError, match="rectified"):
        folded(Regressor(8, rectified=True).eval())


def test_what_drops_out_is_not_folded():
    with pytest.raises(ValueError, match="training"):
        folded(Regressor(8, dropout=0.5).train())
