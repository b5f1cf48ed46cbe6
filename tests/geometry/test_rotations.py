import pytest
import torch
from stripmocap.geometry import rotations
from torch.testing import assert_close


@pytest.fixture
def aa():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(50, 3, generator=generator, dtype=torch.float64)


def test_quarter_turn_about_z_carries_x_to_y():
    matrix = rotations.aa_to_matrix(torch.tensor([0, 0, torch.pi / 2]))

    assert_close(matrix @ torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0]), atol=1e-6, rtol=0)


def test_matrices_are_rotations(aa):
    for matrix in (rotations.aa_to_matrix(aa), rotations.aa_to_matrix_by_quat(aa)):
        identity = torch.eye(3, dtype=torch.float64).expand_as(matrix)
        # The axis is short of unit length by the epsilon that smplx adds.
        assert_close(matrix @ matrix.mT, identity, atol=1e-7, rtol=0)
        assert_close(torch.linalg.det(matrix), torch.ones(50, dtype=torch.float64))


def test_both_ways_to_a_matrix_agree(aa):
    assert_close(rotations.aa_to_matrix(aa), rotations.aa_to_matrix_by_quat(aa), atol=1e-7, rtol=0)


def test_axis_angle_below_pi_survives_the_matrix(aa):
    short = aa * (3.1 / aa.norm(dim=-1, keepdim=True)).clamp(max=1)

    assert_close(rotations.matrix_to_aa(rotations.aa_to_matrix(short)), short, atol=1e-6, rtol=0)


@pytest.mark.parametrize("short_of_pi", [0.0, 1e-7, 1e-4, 1e-2])
def test_matrix_to_axis_angle_keeps_its_digits_near_pi(short_of_pi):
    axis = torch.nn.functional.normalize(torch.tensor([0.2, -0.7, 0.4]), dim=0)
    matrix = rotations.aa_to_matrix(axis * (torch.pi - short_of_pi))

    back = rotations.matrix_to_aa(matrix)

    assert_close(rotations.aa_to_matrix(back), matrix, atol=2e-6, rtol=0)
    assert_close(back.norm(), torch.tensor(torch.pi - short_of_pi), atol=1e-5, rtol=0)


@pytest.mark.parametrize("length", [0.0, 1e-9, 1e-5])
def test_small_turns_have_finite_gradients(length):
    aa = torch.full((3,), length, requires_grad=True)

    rotations.aa_to_matrix(aa).square().sum().backward()

    assert torch.isfinite(aa.grad).all()


def test_quaternions_are_w_first_and_survive_the_matrix(aa):
    quat = rotations.aa_to_quat(aa)

    half = aa.norm(dim=-1) / 2
    assert_close(quat[:, 0].abs(), half.cos().abs(), atol=1e-7, rtol=0)
    back = rotations.matrix_to_quat(rotations.quat_to_matrix(quat))
    assert_close(back, quat * quat[:, :1].sign())


def test_quaternions_of_any_length_give_the_same_rotation(aa):
    quat = rotations.aa_to_quat(aa)

    assert_close(rotations.quat_to_matrix(3 * quat), rotations.quat_to_matrix(quat))
    assert_close(rotations.aa_to_matrix(rotations.quat_to_aa(3 * quat)),
                 rotations.aa_to_matrix(aa), atol=1e-7, rtol=0)  # fmt: skip


def test_six_numbers_are_the_first_two_columns_row_by_row(aa):
    matrix = rotations.aa_to_matrix(aa)

    six = rotations.matrix_to_rot6d(matrix)

    assert_close(six[:, 0::2], matrix[:, :, 0])
    assert_close(rotations.rot6d_to_matrix(six), matrix, atol=1e-7, rtol=0)


def test_any_six_numbers_give_a_rotation():
    six = torch.randn(20, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    matrix = rotations.rot6d_to_matrix(six)

    assert_close(torch.linalg.det(matrix), torch.ones(20, dtype=torch.float64))
    assert_close(matrix @ matrix.mT, torch.eye(3, dtype=torch.float64).expand(20, 3, 3))


def test_cross_matrix_is_the_cross_product(aa):
    assert_close(
        (rotations.cross_matrix(aa[:25]) @ aa[25:].unsqueeze(-1)).squeeze(-1),
        torch.linalg.cross(aa[:25], aa[25:]),
    )


@pytest.mark.parametrize("length", [0.0, 1e-6, 1e-3, 1.0, 3.0])
def test_left_jacobian_turns_small_changes_into_small_turns(length):
    aa = length * torch.nn.functional.normalize(torch.tensor([0.2, -0.7, 0.4]).double(), dim=0)
    back = rotations.aa_to_matrix(aa).T

    def turn(change):
        turned = rotations.aa_to_matrix(aa + change) @ back
        return torch.stack([turned[2, 1], turned[0, 2], turned[1, 0]])

    change = 1e-4 * torch.eye(3, dtype=torch.float64)
    slopes = [(turn(each) - turn(-each)) / 2e-4 for each in change]

    # Central differences leave 1e-8; the rest is the epsilon in the axis-angle's length.
    assert_close(rotations.left_jacobian(aa), torch.stack(slopes, dim=1), atol=1e-4, rtol=0)
