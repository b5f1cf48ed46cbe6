import pytest
import torch
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.training.losses import Predicted, Truth, Weights, by_what_is_known
from torch.testing import assert_close

ONES = Weights(keypoints=1.0, joints=1.0, rotmat=1.0, betas=1.0, camera=0.0)


@pytest.fixture
def predicted():
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, requires_grad=True)

    body = Regressed(draw(4, 24, 3, 3), draw(4, 10), draw(4, 3))
    return Predicted(body, joints=draw(4, 24, 3), keypoints=draw(4, 33, 2))


def moved_by(places, distance):
    shift = torch.zeros_like(places)
    shift[..., 0] = distance
    return (places + shift).detach()


def test_the_truth_costs_nothing(predicted):
    body = predicted.regressed
    truth = Truth(
        keypoints=predicted.keypoints, joints=predicted.joints, rotmat=body.rotmat, betas=body.betas
    )

    terms = by_what_is_known(predicted, truth, weights=ONES)

    assert set(terms) == {"keypoints", "joints", "rotmat", "betas", "camera"}
    assert_close(torch.stack(list(terms.values())).sum(), torch.tensor(0.0))


def test_places_cost_their_distance(predicted):
    truth = Truth(joints=moved_by(predicted.joints, 2.0))

    terms = by_what_is_known(predicted, truth, weights=ONES)

    assert terms["joints"].item() == pytest.approx(2.0, abs=2e-3)  # rounded off near zero


def test_what_nobody_knows_has_no_term(predicted):
    truth = Truth(keypoints=predicted.keypoints, keypoints_weight=torch.ones(4, 33))

    assert set(by_what_is_known(predicted, truth, weights=ONES)) == {"keypoints", "camera"}


def test_a_sample_without_parameters_neither_costs_nor_thins_out(predicted):
    weight = torch.zeros(4, 24)
    weight[1] = 1.0
    rotmat = torch.full((4, 24, 3, 3), torch.nan)
    rotmat[1] = predicted.regressed.rotmat[1].detach() + 0.5

    terms = by_what_is_known(predicted, Truth(rotmat=rotmat, rotmat_weight=weight), weights=ONES)
    terms["rotmat"].backward()

    assert terms["rotmat"].item() == pytest.approx(0.25, rel=1e-5)
    gradient = predicted.regressed.rotmat.grad
    assert torch.isfinite(gradient).all()
    assert (gradient[[0, 2, 3]] == 0).all()


def test_where_nothing_is_known_the_term_is_zero(predicted):
    truth = Truth(betas=torch.zeros(4, 10), betas_weight=torch.zeros(4))

    assert by_what_is_known(predicted, truth, weights=ONES)["betas"].item() == 0.0


def test_weights_scale_their_terms(predicted):
    truth = Truth(joints=moved_by(predicted.joints, 1.0), betas=torch.zeros(4, 10))

    once = by_what_is_known(predicted, truth, weights=ONES)
    twice = by_what_is_known(predicted, truth, weights=Weights(joints=2.0, betas=3.0))

    assert_close(twice["joints"], 2 * once["joints"])
    assert_close(twice["betas"], 3 * once["betas"])


def test_a_person_behind_the_camera_costs_much(predicted):
    body = predicted.regressed
    behind = Predicted(
        Regressed(body.rotmat, body.betas, torch.tensor([[-0.5, 0.0, 0.0]]).expand(4, 3)),
        predicted.joints,
        predicted.keypoints,
    )

    terms = by_what_is_known(behind, Truth(), weights=Weights(camera=1.0))

    assert terms["camera"].item() > 1000
