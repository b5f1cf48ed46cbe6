from __future__ import annotations

from pathlib import Path

import pytest
from stripmocap.cli import outputs
from stripmocap.contract.errors import ResultFileError


def write_half(path: Path, error: BaseException) -> None:
    with outputs.whole(path) as partial:
        partial.write_text("half", encoding="utf-8")
        raise error


def test_a_block_that_is_done_puts_its_file_in_place(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    with outputs.whole(path) as partial:
        partial.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"

    assert path.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_block_that_fails_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    with pytest.raises(error):
        write_half(path, error("stop"))

    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_up_is_an_error_with_a_hint(tmp_path):
    with pytest.raises(ResultFileError, match="No space left") as caught:
        write_half(tmp_path / "a.txt", OSError(28, "No space left on device"))

    assert "space" in caught.value.hint


def test_the_ending_does_not_care_about_case(tmp_path):
    outputs.check(tmp_path / "A.NPZ", suffixes=(".npz",))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_made(tmp_path):
    folder = tmp_path / "plots" / "of today"

    outputs.make_folder(folder)
    outputs.make_folder(folder)

    assert not list(folder.iterdir())


def test_a_file_in_a_folders_place_is_an_error_with_a_hint(tmp_path):
    path = tmp_path / "plots"
    path.touch()

    with pytest.raises(ResultFileError) as caught:
        outputs.make_folder(path)

    assert caught.value.hint
