from pathlib import Path

import pytest
from stripmocap.contract import sequences


@pytest.mark.parametrize(
    ("name", "number"),
    [("shot.0012.png", 12), ("7.exr", 7), ("alone.png", None), ("a1b.jpg", None)],
)
def test_number_is_at_the_end_of_the_name(name, number):
    assert sequences.number_of(Path(name)) == number


def test_pictures_of_one_name_are_one_sequence_in_order(tmp_path):
    for name in ("a3.png", "a1.png", "a10.png", "b2.png", "a2.jpg", "a02.png"):
        (tmp_path / name).touch()

    found = sequences.files_of(tmp_path / "a3.png")

    assert [path.name for path in found.values()] == ["a1.png", "a3.png", "a10.png"]
    assert list(found) == [1, 3, 10]


def test_the_picture_itself_belongs_even_if_it_is_gone(tmp_path):
    (tmp_path / "a1.png").touch()

    assert list(sequences.files_of(tmp_path / "a5.png")) == [1, 5]


def test_movie_is_no_picture():
    assert sequences.is_picture(Path("a.PNG"))
    assert not sequences.is_picture(Path("a.mp4"))
