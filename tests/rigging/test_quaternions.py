import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap_extension.addon.rigging import quaternions
from toybody import rotation


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("scale", [0, 1e-12, 1e-7, 1e-3, 1, np.pi, 5])
def test_axis_angle_becomes_the_same_rotation(rng, scale):
    axis = rng.normal(size=3)
    aa = scale * axis / np.linalg.norm(axis)

    matrix = quaternions.quat_to_matrix(quaternions.aa_to_quat(aa))

    assert_allclose(matrix, rotation(aa), atol=1e-12)


@pytest.mark.parametrize("angle", [0, 1e-9, 0.5, np.pi / 2, np.pi - 1e-9, np.pi, 4])
def test_matrix_and_quaternion_are_inverse(rng, angle):
    axis = rng.normal(size=3)
    matrix = rotation(angle * axis / np.linalg.norm(axis))

    quat = quaternions.matrix_to_quat(matrix)

    assert quat[0] >= 0
    assert_allclose(quaternions.quat_to_matrix(quat), matrix, atol=1e-12)


def test_product_turns_by_the_second_first(rng):
    first, second = rng.normal(size=(2, 3))

    product = quaternions.multiply(quaternions.aa_to_quat(first), quaternions.aa_to_quat(second))

    expected = rotation(first) @ rotation(second)
    assert_allclose(quaternions.quat_to_matrix(product), expected, atol=1e-12)


def test_signs_do_not_jump_while_a_bone_spins_round_three_times():
    angles = np.linspace(0, 6 * np.pi, 200)
    wrapped = (angles + np.pi) % (2 * np.pi) - np.pi  # as axis-angles come from a file
    quats = quaternions.aa_to_quat(wrapped[:, None] * [0.6, 0.0, 0.8])

    smooth = quaternions.continuous(quats)

    assert np.sum(smooth[1:] * smooth[:-1], axis=-1).min() > 0.99
    assert_allclose(
        quaternions.quat_to_matrix(smooth), quaternions.quat_to_matrix(quats), atol=1e-12
    )


def test_first_frame_has_no_negative_w():
    quats = -quaternions.aa_to_quat(np.array([[0.1, 0, 0], [0.2, 0, 0]]))

    assert (quaternions.continuous(quats)[:, 0] > 0).all()
