"""SPIN's losses: who has a say in them. Their numbers are those of tests/official."""

import torch
from stripmocap.training import spin_losses


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_keypoints_without_confidence_have_no_say():
    points = normal(2, 49, 2)
    keypoints = torch.cat([points, torch.ones(2, 49, 1)], dim=-1)
    keypoints[:, 30] = torch.tensor([100.0, 100.0, 0.0])

    loss = spin_losses.keypoint_loss(points, keypoints, openpose_weight=0, training_weight=1)

    assert float(loss) < 1e-6


def test_each_half_of_the_keypoints_has_its_own_weight():
    points = torch.zeros(1, 49, 2)
    keypoints = torch.ones(1, 49, 3)

    def loss(openpose, training):
        return float(
            spin_losses.keypoint_loss(
                points, keypoints, openpose_weight=openpose, training_weight=training
            )
        )

    assert abs(loss(1, 0) - 25 / 49) < 1e-6
    assert abs(loss(0, 1) - 24 / 49) < 1e-6


def test_where_nothing_is_known_there_is_no_loss():
    nobody = torch.zeros(2, dtype=torch.bool)

    assert spin_losses.joint_loss(normal(2, 49, 3), normal(2, 24, 4), has=nobody) == 0
    assert spin_losses.betas_loss(normal(2, 10), normal(2, 10) + 1, valid=nobody) == 0
    assert spin_losses.shape_loss(normal(2, 9, 3), normal(2, 9, 3) + 1, has=nobody) == 0
    rotmat = normal(2, 24, 3, 3)
    assert spin_losses.pose_loss(rotmat, rotmat + 1, known=torch.zeros(2, 24)) == 0


def test_where_somebody_stands_does_not_matter_to_joints():
    points = normal(2, 49, 3)
    joints = torch.cat([points[:, 25:] + 7, torch.ones(2, 24, 1)], dim=-1)

    loss = spin_losses.joint_loss(points, joints, has=torch.ones(2, dtype=torch.bool))

    assert float(loss) < 1e-10


def test_a_scale_below_zero_is_pushed_up_and_never_overflows():
    camera = torch.tensor([[-100.0, 0, 0], [-0.1, 0, 0], [-0.6, 0, 0]], requires_grad=True)

    loss = spin_losses.camera_loss(camera)
    loss.backward()

    assert camera.grad is not None
    assert torch.isfinite(loss)
    assert (camera.grad[:, 0] < 0).all()


def test_the_guard_of_the_scale_has_no_step():
    around = torch.tensor([-0.5 - 1e-4, -0.5 + 1e-4]).double()
    low, high = (spin_losses.camera_loss(each.repeat(1, 3)) for each in around)

    torch.testing.assert_close(low, high, rtol=0.01, atol=0)
