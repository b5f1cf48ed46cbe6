"""SPIN's pages of keypoints: what fits and losses see agrees with what is known."""

import pytest
import torch
from stripmocap.contract import body_file
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, SPIN_NAMES
from stripmocap.geometry.cameras import project
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.smplify import paper
from stripmocap.methods.smplify.priors import PosePrior
from stripmocap.training import spin
from stripmocap.training.augmentation import Augmentation
from stripmocap.training.spin_keypoints import KeypointPages, changed, changed_guess
from stripmocap.training.synthetic import LandmarkBody, Samples

COUNT = 40


@pytest.fixture(scope="module")
def template():
    return body_file.load(body_file.EMBEDDED_BODY)


@pytest.fixture(scope="module")
def school(template):
    return spin.School(paper.reduced_points(template), PosePrior.load(), spin.DETECTED)


@pytest.fixture(scope="module")
def samples(template):
    """People who are seen as they are, without noise."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(COUNT, *shape, generator=generator)

    pose = 0.2 * normal(24, 3)
    pose[:, 0] = torch.tensor([3.0, 0.0, 0.0]) + 0.4 * normal(3)
    rotmat = aa_to_matrix(pose)
    betas = 0.5 * normal(10)
    transl = torch.tensor([0.0, 0.2, 5.0]) + 0.4 * normal(3)
    joints, landmarks = LandmarkBody.from_template(template).stand(
        rotmat, betas=betas, transl=transl
    )
    focal = 900.0 + 100.0 * torch.rand(COUNT, generator=generator)
    center = torch.tensor([[640.0, 360.0]]).expand(COUNT, -1)
    clean = project(landmarks, focal=focal[:, None, None], center=center[:, None])
    return Samples(
        keypoints=torch.cat([clean, torch.full((COUNT, 33, 1), 0.9)], dim=-1),
        landmarks3d=torch.zeros(COUNT, 33, 3),
        focal=focal,
        center=center,
        clean=clean,
        visible=torch.ones(COUNT, 33, dtype=torch.bool),
        rotmat=rotmat,
        known=torch.ones(COUNT, 24),
        betas=betas,
        transl=transl,
        joints=joints,
    )


@pytest.fixture(scope="module")
def pages(samples, school):
    return KeypointPages(samples, school.points, informed=torch.ones(COUNT, dtype=torch.bool))


def augmentations():
    drawn = Augmentation.draw(COUNT, generator=torch.Generator().manual_seed(5))
    return {"plain": Augmentation.none(COUNT), "changed": drawn}


@pytest.mark.parametrize("kind", ["plain", "changed"])
def test_the_known_body_projects_onto_the_keypoints(pages, school, kind):
    batch = pages.open(torch.arange(COUNT), augmentations()[kind])[1]

    truth = spin.placed(school, batch, pose=batch.pose, betas=batch.betas)
    error = paper.reprojection(spin.problem_of(school, batch), truth).mean(dim=1)

    # Toes are not where BlazePose's feet end, and bodies are not quite their own mirror image.
    assert error.max() < 8
    assert error.median() < 3


@pytest.mark.parametrize("kind", ["plain", "changed"])
def test_the_known_joints_are_those_of_the_known_body(pages, school, kind):
    batch = pages.open(torch.arange(COUNT), augmentations()[kind])[1]
    rotmat = aa_to_matrix(batch.pose.unflatten(1, (24, 3)))

    points = school.points(rotmat[:, 0], rotmat[:, 1:], batch.betas)[:, 25:]

    torch.testing.assert_close(points, batch.joints[..., :3], atol=0.02, rtol=0)


def test_people_stand_where_the_crops_camera_puts_them(pages, school, samples):
    batch = pages.open(torch.arange(COUNT), Augmentation.none(COUNT))[1]

    truth = spin.placed(school, batch, pose=batch.pose, betas=batch.betas)

    torch.testing.assert_close(truth.transl, samples.transl, atol=0.15, rtol=0)


def test_keypoints_fill_the_crop(pages):
    batch = pages.open(torch.arange(COUNT), augmentations()["changed"])[1]
    seen = batch.keypoints[batch.keypoints[..., 2] > 0]

    assert seen[:, :2].min() > 0
    assert seen[:, :2].max() < spin.CROP_PX


def test_a_torso_that_is_not_seen_still_has_a_place(pages):
    batch = pages.open(torch.arange(COUNT), Augmentation.none(COUNT))[1]
    for name in ("Hip", "Shoulder"):
        training = batch.keypoints[:, SPIN_NAMES.index(f"R{name}")]
        openpose = batch.keypoints[:, SPIN_NAMES.index(f"OP R{name}")]

        assert torch.equal(training[:, :2], openpose[:, :2])
        assert not training[:, 2].any()


def test_the_mirror_shows_a_right_hand_for_the_left(samples):
    mirrored = torch.ones(COUNT, dtype=torch.bool)
    plain = Augmentation.none(COUNT)
    augmentation = Augmentation(plain.turn_rad, plain.scale, mirrored, plain.colour)

    seen = changed(samples.keypoints, augmentation, center=samples.center)

    left, right = (BLAZEPOSE_NAMES.index(f"{side}_wrist") for side in ("left", "right"))
    expected = 2 * samples.center[:, 0] - samples.keypoints[:, right, 0]
    torch.testing.assert_close(seen[:, left, 0], expected)
    torch.testing.assert_close(seen[:, left, 1], samples.keypoints[:, right, 1])


def test_whose_body_is_withheld_is_not_known(samples, school):
    informed = torch.arange(COUNT) < 3
    pages = KeypointPages(samples, school.points, informed=informed)

    batch = pages.open(torch.tensor([2, 3]), Augmentation.none(2))[1]

    assert batch.has_body.tolist() == [True, False]
    assert batch.has_joints.tolist() == [True, False]


def test_a_guess_turns_and_mirrors_like_the_person():
    generator = torch.Generator().manual_seed(1)
    guess = torch.randn(COUNT, 33, 3, generator=generator)
    plain = Augmentation.none(COUNT)
    mirrored = torch.ones(COUNT, dtype=torch.bool)
    mirror = Augmentation(plain.turn_rad, plain.scale, mirrored, plain.colour)
    quarter = Augmentation(plain.turn_rad + torch.pi / 2, plain.scale, ~mirrored, plain.colour)

    assert torch.equal(changed_guess(guess, plain), guess)
    assert torch.equal(changed_guess(changed_guess(guess, mirror), mirror), guess)
    # Right becomes up, and depth stays.
    turned = changed_guess(guess, quarter)
    torch.testing.assert_close(turned[..., 1], -guess[..., 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(turned[..., 2], guess[..., 2])
