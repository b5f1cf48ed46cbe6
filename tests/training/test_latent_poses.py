import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.humor.pose_prior import PosePrior, PoseSizes
from stripmocap.training import loop
from stripmocap.training.latent_poses import PoseLesson, PosePlan, drawn_poses, pose_errors
from stripmocap.training.poses import PoseBank
from stripmocap.training.synthetic import embedded_body
from torch.testing import assert_close
from toyclips import toy_clip

PLAN = PosePlan(PoseSizes(latent=4, hidden=32), people=16)


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def bank():
    return PoseBank.of((toy_clip(frames=60),))


def lesson(bank, body):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    held_out = drawn_poses(bank, 20, generator=generator)
    return PoseLesson(PosePrior(PLAN.sizes), bank, body, plan=PLAN, held_out=held_out, seed=0)


def test_it_learns_poses(bank, body, tmp_path):
    taught = lesson(bank, body)
    before = taught.scores(taught.network.eval())

    schedule = loop.Schedule(steps=80, learning_rate=1e-2, averaging=0.5, warmup=5)
    trained = loop.train(taught, schedule, folder=tmp_path, seed=0, plan={}, report=lambda *_: None)

    assert taught.scores(trained.network)["joints mm"] < before["joints mm"]


def test_terms_are_finite_and_move_the_network(bank, body):
    taught = lesson(bank, body)

    terms = taught.losses(0)

    sum(terms.values()).backward()
    assert all(torch.isfinite(term) for term in terms.values())
    assert all(each.grad is not None for each in taught.network.parameters())


def test_who_says_poses_back_loses_nothing(body):
    poses = aa_to_matrix(0.3 * torch.randn(5, 21, 3))

    class Mirror(torch.nn.Module):
        def encode(self, body_pose_aa):
            self.seen = aa_to_matrix(body_pose_aa)
            return PosePrior(PLAN.sizes).eval().encode(body_pose_aa)

        def decode(self, latent):
            return self.seen

    found = pose_errors(Mirror(), poses, body=body)

    assert_close(found["joints mm"], 0.0, atol=0.01, rtol=0)


def test_a_lesson_goes_on_where_it_stopped(bank, body):
    first, other = lesson(bank, body), lesson(bank, body)
    first.losses(0)

    other.load_state_dict(first.state_dict())

    torch.manual_seed(1)
    one = first.losses(1)
    torch.manual_seed(1)
    assert_close(other.losses(1)["joints"], one["joints"], rtol=1e-3, atol=0)
