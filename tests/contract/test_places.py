import sys
from pathlib import Path

import pytest
from stripmocap.contract import places


def test_the_python_that_noted_itself_is_found(tmp_path):
    places.note_python(tmp_path / "new" / "data")

    assert places.noted_python(tmp_path / "new" / "data") == Path(sys.executable)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"python": 3}', '{"python": ""}'])
def test_a_damaged_note_is_none(tmp_path, text):
    (tmp_path / places.NOTE).write_text(text, encoding="utf-8")

    assert places.noted_python(tmp_path) is None


def test_there_is_no_note_where_nobody_left_one(tmp_path):
    assert places.noted_python(tmp_path) is None


def test_the_data_folder_can_be_chosen(tmp_path):
    assert places.data_folder({"STRIPMOCAP_DATA": str(tmp_path)}) == tmp_path


def test_the_usual_data_folder_is_the_users_own():
    assert places.data_folder({}).name == "stripmocap"
    assert places.data_folder({}).is_relative_to(Path.home())
