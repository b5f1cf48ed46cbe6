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


def test_many_matrices_become_the_same_as_each_alone(rng):
    matrices = np.array([[rotation(aa) for aa in row] for row in rng.normal(size=(2, 3, 3))])

    quats = quaternions.matrix_to_quat(matrices)

    assert quats.shape == (2, 3, 4)
    assert_allclose(quats[1, 2], quaternions.matrix_to_quat(matrices[1, 2]), atol=1e-12)
    assert_allclose(quaternions.quat_to_matrix(quats), matrices, atol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_third_of_the_way_is_a_third_of_the_shorter_arc(sign):
    start, end = quaternions.aa_to_quat(np.array([[0.3, 0, 0], [1.2, 0, 0]]))

    third = quaternions.slerp(start, sign * end, np.array([1 / 3]))

    assert_allclose(quaternions.quat_to_aa(third), [0.6, 0, 0], atol=1e-12)


def test_between_a_turn_and_itself_there_is_that_turn():
    turn = quaternions.aa_to_quat(np.array([0.3, 0.1, 0]))

    assert_allclose(quaternions.slerp(turn, turn, np.array([0.7])), turn, atol=1e-12)
