"""VIBE's SMPLify over time against `temporal_smplify.npz`."""

import numpy as np
import pytest
import torch
from stripmocap.body.official import official_template
from stripmocap.methods.smplify import paper, paper_over_time
from stripmocap.methods.smplify.priors import PosePrior

pytestmark = pytest.mark.official
CROP_PX = 224.0


@pytest.fixture(scope="module")
def run(oracles):
    return {name: torch.tensor(array) for name, array in oracles("temporal_smplify").items()}


@pytest.fixture(scope="module", params=["full mesh", "reduced"])
def problem(request, oracles, run):
    template = official_template(
        oracles.synth.body("smpl", oracles.seed),
        name="synthetic",
        extra_regressor=oracles.synth.regressor("extra", 9, oracles.seed),
    )
    mixture = oracles.synth.pose_gmm(oracles.seed)
    prior = PosePrior.from_mixture(mixture["means"], mixture["covars"], weights=mixture["weights"])
    points = {"full mesh": paper.full_mesh_points, "reduced": paper.reduced_points}
    center = torch.full((len(run["kp"]), 2), CROP_PX / 2)
    return paper.PaperProblem(points[request.param](template), prior, run["kp"], center)


@pytest.fixture(scope="module")
def start(run):
    scale, x, y = run["init_cam"].unbind(dim=-1)
    transl = torch.stack([x, y, 2 * paper.FOCAL_PX / (CROP_PX * scale + 1e-9)], dim=-1)
    return paper.PaperState(
        run["init_pose"][:, :3], run["init_pose"][:, 3:], run["init_betas"], transl
    )


@pytest.fixture(scope="module")
def end(problem, start):
    return paper_over_time.solve(problem, start, first_stage="published")


def near(got, expected, shaken):
    """Within five times what the official answer moves when its start does by a millionth."""
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=5 * float(shaken))


def test_errors_before_are_those_of_vibe(end, run):
    near(end.start_loss, run["old_loss"], run["sens_old_loss"])


def test_poses_and_the_shape_are_those_of_vibe(end, run):
    pose = torch.cat([end.state.global_orient_aa, end.state.body_pose_aa], dim=1)

    near(pose, run["pose"], run["sens_pose"])
    near(end.state.betas, run["betas"], run["sens_betas"])


def test_joints_are_those_of_vibe(problem, end, run):
    near(paper.points_of(problem, end.state), run["joints3d"], run["sens_joints3d"])


def test_the_same_frames_got_better_and_by_as_much_as_in_vibe(end, run):
    near(end.loss, run["new_loss"], run["sens_new_loss"])
    assert torch.equal(end.better, run["update"])


def test_the_camera_is_left_alone_as_by_vibe(start, end, run):
    assert torch.equal(run["cam"], run["init_cam"])
    assert torch.equal(end.state.transl, start.transl)


def test_a_first_stage_that_works_ends_nearer(problem, start, end):
    ours = paper_over_time.solve(problem, start)

    assert ours.loss.mean() < end.loss.mean()
