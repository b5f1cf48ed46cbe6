import numpy as np
import pytest
from stripmocap.contract import body_file
from stripmocap.experiments import dressed

OPTICS = {"focal_px": 200.0, "center_px": np.array([79.5, 119.5])}


@pytest.fixture(scope="module")
def template():
    return body_file.load(body_file.EMBEDDED_BODY)


@pytest.fixture(scope="module")
def standing(template):
    """Vertices of somebody upright, two and a half metres off, face to the camera."""
    return template.v_template * [1, -1, -1] + [0, -0.15, 2.5]


def painted(template, vertices, seed=0):
    rng = np.random.default_rng(seed)
    look = dressed.drawn_look(template, rng)
    wall = np.full((240, 160, 3), 128, dtype=np.uint8)
    return wall, *dressed.paint(wall, vertices, faces=template.faces, look=look, **OPTICS)


def test_body_is_painted_where_it_projects_and_nowhere_else(template, standing):
    background, picture, mask = painted(template, standing)

    points = OPTICS["focal_px"] * standing[:, :2] / standing[:, 2:] + OPTICS["center_px"]
    columns, rows = np.rint(points).astype(int).T
    assert (mask[rows, columns] > 0).mean() > 0.97
    assert (picture == background)[mask == 0].all()
    assert abs(picture.astype(int) - background)[mask == 255].mean() > 5


def test_nothing_is_painted_of_a_body_behind_the_camera(template, standing):
    _, _, mask = painted(template, standing - [0, 0, 6])

    assert mask.max() == 0


def test_the_same_seed_gives_the_same_picture(template, standing):
    first, again, other = (painted(template, standing, seed)[1] for seed in (0, 0, 1))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_same_seed_gives_the_same_room():
    first, again, other = (
        dressed.drawn_background((64, 48), np.random.default_rng(seed)) for seed in (0, 0, 1)
    )

    assert first.shape == (48, 64, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_eyes_and_lips_are_told_from_the_skin(template):
    look = dressed.drawn_look(template, np.random.default_rng(0))
    middles = template.v_template[template.faces].mean(axis=1)

    def colour_at(name):
        at = template.landmark_regressor[template.landmark_names.index(name)] @ template.v_template
        return look.colours[np.linalg.norm(middles - at, axis=1).argmin()]

    assert not np.allclose(colour_at("left_eye"), colour_at("nose"))
    assert not np.allclose(colour_at("mouth_left"), colour_at("nose"))
