from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap.contract import quaternions
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


@pytest.mark.parametrize("angle", [0, 1e-12, 1e-9, 1e-7, 1e-3, 1, np.pi - 1e-6, np.pi])
def test_axis_angle_comes_back(rng, angle):
    axis = rng.normal(size=3)
    aa = angle * axis / np.linalg.norm(axis)

    assert_allclose(quaternions.quat_to_aa(quaternions.aa_to_quat(aa)), aa, atol=1e-14)


def test_of_two_turns_the_shorter_comes_back():
    turns = quaternions.aa_to_quat(np.array([[0, 4.0, 0], [0, -4.0, 0]]))

    shorter = quaternions.quat_to_aa(turns)

    assert_allclose(shorter, [[0, 4 - 2 * np.pi, 0], [0, 2 * np.pi - 4, 0]])
