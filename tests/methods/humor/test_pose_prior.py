import torch
from stripmocap.geometry.rotations import matrix_to_aa
from stripmocap.methods.humor.pose_prior import PosePrior, PoseSizes, latent_energy
from torch.testing import assert_close


def network():
    torch.manual_seed(0)
    return PosePrior(PoseSizes(latent=8, hidden=32)).eval().requires_grad_(False)


def test_every_latent_is_a_pose_of_rotations():
    latents = 5 * torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(0))

    pose = network().decode(latents)

    assert pose.shape == (3, 4, 21, 3, 3)
    assert_close(pose.det(), torch.ones(3, 4, 21))
    assert matrix_to_aa(pose).isfinite().all()


def test_people_and_times_are_read_as_a_row_is():
    poses = torch.randn(6, 21, 3, generator=torch.Generator().manual_seed(0)) / 3
    prior = network()

    grid, row = prior.encode(poses.view(2, 3, 21, 3)), prior.encode(poses)

    assert_close(grid.mean.view(6, -1), row.mean)
    assert_close(grid.variance.view(6, -1), row.variance)
    assert (row.variance > 0).all()


def test_gradients_pass_through_a_pose_to_its_latent():
    latent = torch.zeros(1, 8, requires_grad=True)

    network().decode(latent).sum().backward()

    assert latent.grad is not None
    assert latent.grad.isfinite().all()
    assert latent.grad.abs().max() > 0


def test_the_likeliest_pose_costs_nothing():
    assert latent_energy(torch.zeros(8)) == 0
    assert latent_energy(torch.tensor([3.0, 4.0])) == 25
