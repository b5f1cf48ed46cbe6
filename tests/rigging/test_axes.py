import numpy as np
from numpy.testing import assert_allclose
from stripmocap_extension.addon.rigging import axes


def test_up_of_the_rest_body_is_up_in_blender():
    assert_allclose(axes.rest_to_blender([0, 1, 0]), [0, 0, 1])


def test_body_faces_the_front_view_and_keeps_its_left():
    assert_allclose(axes.rest_to_blender([[0, 0, 1], [1, 0, 0]]), [[0, -1, 0], [1, 0, 0]])


def test_turn_of_the_rest_body_is_a_rotation():
    assert_allclose(axes.BLENDER_FROM_REST @ axes.BLENDER_FROM_REST.T, np.eye(3))
    assert_allclose(np.linalg.det(axes.BLENDER_FROM_REST), 1)


def test_level_camera_looks_along_plus_y_with_its_top_up():
    level = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])

    matrix = axes.blender_camera_matrix(level)

    assert_allclose(matrix @ [0, 0, -1, 0], [0, 1, 0, 0])  # Blender's cameras look along -z
    assert_allclose(matrix @ [0, 1, 0, 0], [0, 0, 1, 0])  # and their y is up
