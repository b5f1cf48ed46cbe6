from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parents[2] / "tools" / "picture_takes.py"
HEIGHT, WIDTH = 120, 160


@pytest.fixture(scope="module")
def picture_takes():
    spec = importlib.util.spec_from_file_location("picture_takes", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tile(left, top, *, colour=200):
    # Somebody 10 wide and 40 high, with nothing around.
    made = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    made[top : top + 40, left : left + 10] = (colour, colour, colour, 255)
    return made


def grey(value):
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)


def test_everybody_is_laid_over_the_clip_and_cut_out_with_a_margin(picture_takes):
    tiles = {"temporal": [tile(50, 30), tile(70, 40)], "refined": [tile(60, 30), tile(70, 40)]}

    rows = picture_takes.over_footage(
        tiles, captured=[grey(10), grey(20)], under=[grey(50), grey(60)]
    )

    assert list(rows) == ["footage", "temporal", "refined"]
    assert {each.shape for row in rows.values() for each in row} == {(49, 29, 3)}
    assert np.all(rows["footage"][1] == 20)
    assert (rows["temporal"][0] == 200).all(axis=2).sum() == 400
    assert set(np.unique(rows["refined"][0])) == {50, 200}


def test_takes_of_one_moment_are_cut_out_at_the_same_place(picture_takes):
    tiles = {"temporal": [tile(50, 30)], "refined": [tile(62, 30)]}

    rows = picture_takes.over_footage(tiles, captured=[grey(0)], under=[grey(0)])

    first, second = (np.argmax(rows[name][0].any(axis=(0, 2))) for name in tiles)
    assert second - first == 12


def test_somebody_at_the_edge_of_the_picture_is_cut_out_as_large(picture_takes):
    tiles = {"refined": [tile(0, 0), tile(70, 40), tile(WIDTH - 10, HEIGHT - 40)]}

    rows = picture_takes.over_footage(tiles, captured=[grey(0)] * 3, under=[grey(9)] * 3)

    assert len({each.shape for each in rows["refined"]}) == 1
    assert all((each == 200).all(axis=2).sum() == 400 for each in rows["refined"])


def test_a_moment_without_anybody_is_shown_all_the_same(picture_takes):
    empty = np.zeros((HEIGHT, WIDTH, 4), np.uint8)

    rows = picture_takes.over_footage(
        {"refined": [empty, tile(70, 40)]}, captured=[grey(0)] * 2, under=[grey(9)] * 2
    )

    assert np.all(rows["refined"][0] == 9)


def test_large_pictures_are_shrunk_and_small_ones_are_not(picture_takes):
    large = np.full((900, 900, 4), 255, np.uint8)

    rows = picture_takes.over_footage(
        {"refined": [large]}, captured=[large[..., :3]], under=[large[..., :3]]
    )

    assert rows["refined"][0].shape == (picture_takes.TILE_PX, picture_takes.TILE_PX, 3)


def test_a_strip_has_a_line_a_take_and_a_column_a_moment(picture_takes):
    rows = {name: [grey(value)[:50, :80] for value in (30, 60, 90)] for name in ("a", "b")}

    drawn = picture_takes.strip(rows, [1.0, 1.5, 2.0])

    column, line = 80 + picture_takes.GAP_PX, 50 + picture_takes.LINE_PX
    assert drawn.shape == (picture_takes.LINE_PX + 2 * line, 3 * column, 3)
    middles = drawn[2 * picture_takes.LINE_PX + 25 :: line, 40::column, 0]
    assert middles.tolist() == [[30, 60, 90], [30, 60, 90]]


def test_a_capture_that_is_none_is_said_to_be(picture_takes, tmp_path, capsys):
    words = [str(tmp_path / "none.npz"), "--video", "x.mp4", "-o", str(tmp_path / "out.jpg")]

    status = picture_takes.main([*words, "--at", "1"])

    assert status == 1
    assert "none.npz" in capsys.readouterr().err
    assert not (tmp_path / "out.jpg").exists()
