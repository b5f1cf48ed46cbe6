import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from stripmocap.contract import body_file, places
from stripmocap_extension.addon.contract import errors
from stripmocap_extension.addon.remote import python
from toybody import toy_body

INSIDE = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o700)
    return path


def test_the_chosen_python_is_taken_before_any_other(tmp_path):
    made(tmp_path / "clone" / ".venv" / INSIDE)
    chosen = made(tmp_path / "mine" / "python")

    assert python.find(chosen, data=tmp_path, checkout=tmp_path / "clone") == chosen


def test_a_chosen_python_that_is_gone_is_told(tmp_path):
    with pytest.raises(errors.BackendUnavailable, match="there is no Python at"):
        python.find(tmp_path / "gone", data=tmp_path, checkout=tmp_path)


def test_a_clone_uses_its_own_environment(tmp_path):
    own = made(tmp_path / "clone" / ".venv" / INSIDE)
    places.note_python(tmp_path)

    assert python.find(None, data=tmp_path, checkout=tmp_path / "clone") == own


def test_an_installed_extension_finds_what_make_noted(tmp_path):
    places.note_python(tmp_path)

    assert python.find(None, data=tmp_path, checkout=tmp_path) == Path(sys.executable)


def test_without_a_backend_the_hint_says_how_to_get_one(tmp_path):
    with pytest.raises(errors.BackendUnavailable) as caught:
        python.find(None, data=tmp_path, checkout=tmp_path)

    assert "make demo" in caught.value.hint


def test_what_was_set_for_blenders_python_does_not_reach_the_backends(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "studio")
    monkeypatch.setenv("PYTHONHOME", "blender")
    monkeypatch.setenv("STRIPMOCAP_CACHE", "kept")

    environment = python.environment()

    assert {"PYTHONPATH", "PYTHONHOME"} & set(environment) == set()
    assert environment["STRIPMOCAP_CACHE"] == "kept"
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.skipif(sys.platform == "win32", reason="its programs are no scripts")
class TestExamine:
    def test_findings_are_read_and_problems_told_apart(self, tmp_path):
        says = '{"findings": [{"subject": "torch", "state": "problem", "text": "x", "advice": "y"},'
        says += '{"subject": "body", "state": "ok", "text": "z", "advice": ""}]}'
        fake = program(tmp_path / "python", f"echo '{says}' > \"$5\"; exit 2")

        seen = python.examine(fake)

        assert [each.subject for each in seen.findings] == ["torch", "body"]
        assert [each.advice for each in seen.problems] == ["y"]

    def test_a_python_without_the_backend_is_told(self, tmp_path):
        fake = program(tmp_path / "python", 'echo "python: No module named stripmocap" >&2; exit 1')

        with pytest.raises(errors.BackendUnavailable, match="has no backend"):
            python.examine(fake)

    def test_a_backend_that_breaks_is_told_with_its_last_words(self, tmp_path):
        fake = program(tmp_path / "python", "echo 'ImportError: libc is tired' >&2; exit 1")

        with pytest.raises(errors.BackendUnavailable, match="libc is tired"):
            python.examine(fake)

    def test_what_is_no_program_is_told(self, tmp_path):
        (tmp_path / "python").touch()

        with pytest.raises(errors.BackendUnavailable, match="does not run"):
            python.examine(tmp_path / "python")

    def test_the_check_stops_when_nobody_waits_for_it(self, tmp_path):
        fake = program(tmp_path / "python", "exec sleep 60")

        with pytest.raises(errors.Cancelled):
            python.examine(fake, stopping=lambda: True)

    def test_a_backend_that_never_answers_is_given_up(self, tmp_path):
        fake = program(tmp_path / "python", "exec sleep 60")

        with pytest.raises(errors.BackendUnavailable):
            python.examine(fake, timeout_s=0.3)


@pytest.mark.skipif(sys.platform == "win32", reason="its programs are no scripts")
class TestConvertBody:
    def test_a_body_file_is_called_after_its_body(self, tmp_path):
        body = replace(toy_body(), name="SMPL female")
        body_file.save(body, tmp_path / "made.npz")
        fake = program(tmp_path / "python", f'cp "{tmp_path}/made.npz" "$6"')

        path = python.convert_body(fake, tmp_path / "f.pkl", folder=tmp_path / "new" / "bodies")

        assert path == tmp_path / "new" / "bodies" / "smpl_female.npz"
        assert path.is_file()
        assert list(path.parent.iterdir()) == [path]

    def test_why_the_backend_refuses_is_told_in_its_own_words(self, tmp_path):
        fake = program(
            tmp_path / "python",
            "echo 'a warning' >&2; echo 'Error: f.pkl is no SMPL body' >&2; "
            "echo '  Choose an SMPL file.' >&2; exit 2",
        )

        with pytest.raises(errors.BodyFileError) as refused:
            python.convert_body(fake, tmp_path / "f.pkl", folder=tmp_path / "bodies")

        assert refused.value.message == "f.pkl is no SMPL body"
        assert refused.value.hint == "Choose an SMPL file."
        assert list((tmp_path / "bodies").iterdir()) == []

    def test_a_python_without_backend_is_told(self, tmp_path):
        fake = program(tmp_path / "python", "echo 'No module named stripmocap' >&2; exit 1")

        with pytest.raises(errors.BackendUnavailable, match="has no backend"):
            python.convert_body(fake, tmp_path / "f.pkl", folder=tmp_path / "bodies")

    def test_a_folder_that_cannot_be_made_is_told(self, tmp_path):
        (tmp_path / "file").touch()

        with pytest.raises(errors.BodyFileError, match="cannot be written"):
            python.convert_body(
                tmp_path / "python", tmp_path / "f.pkl", folder=tmp_path / "file" / "bodies"
            )
