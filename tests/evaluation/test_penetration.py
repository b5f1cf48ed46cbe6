import numpy as np
from stripmocap.evaluation.penetration import THRESHOLDS_M, depths_m, shares_deeper


def test_what_is_below_a_floor_is_as_deep_as_it_is_low():
    points = np.array([[0.0, 0.0, -0.2], [3.0, 1.0, 0.5], [0.0, 1.0, 0.1]])

    depths = depths_m(points, normal=np.array([0.0, 0.0, 2.0]), height=0.1)

    np.testing.assert_allclose(depths, [0.3, -0.4, 0.0])


def test_a_cameras_floor_is_below_it_along_y():
    depths = depths_m(np.array([[0.0, 1.7, 3.0]]), normal=np.array([0.0, -1.0, 0.0]), height=-1.6)

    np.testing.assert_allclose(depths, [0.1])


def test_shares_fall_with_depth():
    shares = shares_deeper(np.array([-1.0, 0.01, 0.05, 0.5]))

    np.testing.assert_allclose(shares, [0.75, 0.5, 0.25, 0.25, 0.25, 0.25])
    assert len(shares) == len(THRESHOLDS_M)
