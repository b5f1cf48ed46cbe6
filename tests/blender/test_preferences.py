from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import errors, places  # noqa: E402
from stripmocap_extension.addon.remote import errands, host, python  # noqa: E402
from stripmocap_extension.addon.ui import preferences, session  # noqa: E402
from toyjobs import health  # noqa: E402

pytestmark = pytest.mark.blender


@pytest.fixture
def choose(addon, monkeypatch):
    def chosen(**values):
        monkeypatch.setattr(preferences, "of", lambda context: preferences.Defaults(**values))

    return chosen


def test_without_a_choice_captures_run_on_this_computer(addon, monkeypatch, tmp_path):
    monkeypatch.setenv("STRIPMOCAP_DATA", str(tmp_path))

    backend = preferences.backend_of(bpy.context)

    assert isinstance(backend, host.ThisComputer)
    assert backend.data == tmp_path == places.data_folder()
    assert (backend.checkout / "blender_manifest.toml").is_file()


def test_what_is_chosen_reaches_the_service(choose, tmp_path):
    choose(python=str(tmp_path / "python"), data=str(tmp_path), device=" cuda:1 ", cache_gb=2.0)

    backend = preferences.backend_of(bpy.context)

    assert backend.python == tmp_path / "python"
    assert (backend.data, backend.device, backend.cache_gb) == (tmp_path, "cuda:1", 2.0)


def test_import_only_has_no_backend_and_no_button(choose):
    choose(where=preferences.NOWHERE)

    assert preferences.backend_of(bpy.context) is None
    assert not bpy.ops.stripmocap.capture.poll()


def test_a_server_needs_an_address(choose):
    choose(where=preferences.SERVER)

    with pytest.raises(errors.RequestError, match="address"):
        preferences.backend_of(bpy.context)


@pytest.mark.skipif(bpy.app.online_access, reason="this Blender may go online")
def test_blender_does_not_go_online_unless_it_may(choose):
    choose(where=preferences.SERVER, url="https://farm.example:8080", token="t")

    with pytest.raises(errors.NotAllowed) as caught:
        preferences.backend_of(bpy.context)

    assert "Allow Online Access" in caught.value.hint


def test_a_server_on_this_machine_is_not_the_internet(choose):
    choose(where=preferences.SERVER, url="http://127.0.0.1:8080", token="t")

    backend = preferences.backend_of(bpy.context)

    assert (backend.url, backend.token) == ("http://127.0.0.1:8080", "t")


def test_the_token_is_not_shown(addon):
    assert preferences.STRIPMOCAP_AP_preferences.bl_rna.properties["token"].subtype == "PASSWORD"


def test_a_check_shows_every_finding_and_its_advice(addon):
    live = session.current()
    findings = (
        python.Finding("torch", "problem", "it is missing", "Install it."),
        python.Finding("body", "ok", "shipped", ""),
    )
    live.examination = errands.Examined(python.Examination(Path("python"), findings))

    lines = live.check_lines()

    assert ("problem", "torch: it is missing") in lines
    assert ("", "Install it.") in lines
    assert ("ok", "body: shipped") in lines


def test_a_test_shows_who_answers_or_why_nobody_does(addon):
    live = session.current()

    live.tried = errands.Tried(health())
    assert live.check_lines()[0][0] == "ok"

    live.tried = errands.Tried(None, errors.BackendUnavailable("nobody", hint="Start it."))
    assert live.check_lines() == [("problem", "Nobody. Start it.")]


def test_the_defaults_are_those_that_blender_shows(addon):
    shown = preferences.STRIPMOCAP_AP_preferences.bl_rna.properties

    for name, value in vars(preferences.Defaults()).items():
        default = shown[name].default
        assert default == pytest.approx(value) if isinstance(value, float) else default == value
