"""The paper's SMPLify against `smplify_losses.npz` and `smplify_run.npz`."""

import numpy as np
import pytest
import torch
from stripmocap.body.model import Body
from stripmocap.body.official import official_template
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.smplify import energies, paper
from stripmocap.methods.smplify.priors import PosePrior

pytestmark = pytest.mark.official
RUN_TOLERANCE = 1e-4  # of 100 iterations, as the oracles ask


@pytest.fixture(scope="module")
def prior(oracles):
    mixture = oracles.synth.pose_gmm(oracles.seed)
    return PosePrior.from_mixture(mixture["means"], mixture["covars"], weights=mixture["weights"])


@pytest.fixture(scope="module")
def losses(oracles):
    return {name: torch.tensor(array) for name, array in oracles("smplify_losses").items()}


@pytest.fixture(scope="module")
def run(oracles):
    return {name: torch.tensor(array) for name, array in oracles("smplify_run").items()}


@pytest.fixture(scope="module")
def template(oracles):
    extra = oracles.synth.regressor("extra", 9, oracles.seed)
    arrays = oracles.synth.body("smpl", oracles.seed)
    return official_template(arrays, name="synthetic", extra_regressor=extra)


@pytest.fixture(scope="module", params=["full mesh", "reduced"])
def problem(request, template, prior, run):
    points = {"full mesh": paper.full_mesh_points, "reduced": paper.reduced_points}
    return paper.PaperProblem(
        points[request.param](template), prior, run["keypoints"], run["center"]
    )


def near(got, expected, *, relative=1e-5, absolute=0.0):
    expected = np.asarray(expected)
    largest = np.abs(expected).max()
    np.testing.assert_allclose(
        np.asarray(got.detach()), expected, rtol=0, atol=relative * largest + absolute
    )


def start_of(run):
    pose = run["init_pose"]
    return paper.PaperState(pose[:, :3], pose[:, 3:], run["init_betas"], run["init_cam_t"])


def test_robust_error_is_the_official_one(losses):
    near(energies.geman_mcclure(losses["gmof_x"]), losses["gmof_sigma100"])


def test_pose_prior_is_the_official_one(losses, prior):
    near(prior.energy(losses["body_pose"]), losses["gmm_prior"])


def test_constants_of_the_gaussians_are_the_official_ones(losses, prior):
    near((-prior.constants).exp(), losses["gmm_nll_weights"].squeeze(0))


def test_wrong_bends_cost_what_they_do_officially(losses):
    near(energies.bending(losses["body_pose"]), losses["angle_prior"])


def fixed_points_problem(losses, prior):
    keypoints = torch.cat([losses["kp2d"], losses["conf"].unsqueeze(-1)], dim=-1)
    return paper.PaperProblem(lambda *_: losses["joints"], prior, keypoints, losses["center"])


def test_body_objective_and_its_gradients_are_official(losses, prior):
    joints, body_pose, betas = (
        losses[name].clone().requires_grad_() for name in ("joints", "body_pose", "betas")
    )

    # The fixture's loss ignores no keypoint, so it is put together from its parts.
    each = energies.reprojection(
        joints + losses["cam_t"].unsqueeze(1),
        losses["kp2d"],
        confidence=losses["conf"],
        focal=paper.FOCAL_PX,
        center=losses["center"],
    )
    total = each.sum() + paper.pose_and_shape_energy(prior, body_pose, betas=betas).sum()
    total.backward()

    near(each, losses["body_reproj"])
    near(total, losses["body_total"])
    near(body_pose.grad, losses["grad_body_pose"])
    near(betas.grad, losses["grad_betas"])
    near(joints.grad, losses["grad_joints"])


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [("conf", "camera_loss_all_valid"), ("conf_hip_zero", "camera_loss_hip_zero")],
)
def test_camera_objective_is_the_official_one(losses, prior, confidence, expected):
    problem = fixed_points_problem(losses | {"conf": losses[confidence]}, prior)
    state = paper.PaperState(
        torch.zeros(4, 3), losses["body_pose"], losses["betas"], losses["cam_t"]
    )

    total = paper.torso_objective(problem, state, first_transl=losses["cam_t_est"]).sum()

    near(total, losses[expected])


def test_reprojection_at_the_start_is_the_official_one(problem, run):
    near(paper.reprojection(problem, start_of(run)), run["init_reproj"])


def test_the_same_keypoints_are_ignored(run):
    ignored = run["keypoints"].clone()
    ignored[:, list(paper.IGNORED), 2] = 0

    assert torch.equal(ignored, run["kp_after_call"])


@pytest.mark.parametrize("iterations", [5, 100])
def test_a_whole_run_ends_where_the_official_one_does(problem, template, run, iterations):
    end = paper.solve(problem, start_of(run), iterations=iterations)

    def expected(name):
        return run[f"{name}_it{iterations}"]

    pose = torch.cat([end.global_orient_aa, end.body_pose_aa], dim=1)
    near(pose, expected("pose"), relative=0, absolute=RUN_TOLERANCE)
    near(end.betas, expected("betas"), relative=0, absolute=RUN_TOLERANCE)
    near(end.transl, expected("cam_t"), relative=0, absolute=RUN_TOLERANCE)
    # Where the body stands is left out. A point lies at the end of many joints, each a bit off.
    loose = 3 * (RUN_TOLERANCE + float(run[f"sens_joints_it{iterations}"]))
    rotmat = aa_to_matrix(pose.unflatten(-1, (24, 3)))
    points = problem.points(rotmat[:, 0], rotmat[:, 1:], end.betas)
    near(points, expected("joints"), relative=0, absolute=loose)
    body = Body.from_template(template)
    vertices = body.vertices(rotmat[:, 0], rotmat[:, 1:], betas=end.betas)
    near(vertices[:, ::100], expected("verts_every100"), relative=0, absolute=loose)
    # How much the official answer itself moves when its start does by a millionth.
    shaken = float(run[f"sens_reproj_it{iterations}"])
    near(paper.reprojection(problem, end), expected("reproj"), absolute=3 * shaken)
