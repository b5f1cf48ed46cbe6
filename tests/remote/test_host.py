import subprocess
import sys
from pathlib import Path

import pytest
from stripmocap_extension.addon.contract import errors, places
from stripmocap_extension.addon.remote import host

TOY = Path(__file__).with_name("toy_service.py")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A backend of this computer whose service is the toy; ends what was started."""
    moods, children = [], []
    monkeypatch.setattr(
        host, "command", lambda backend: [sys.executable, str(TOY), str(backend.data), *moods]
    )
    popen = subprocess.Popen

    def started(*words, **options):
        children.append(popen(*words, **options))
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", started)
    backend = host.ThisComputer(data=tmp_path / "data", checkout=tmp_path)
    yield backend, moods, children
    for child in children:
        child.kill()
        child.wait()


def test_a_service_is_started_answers_and_ends_when_it_is_let_go(toy):
    backend, _, _ = toy

    link = host.link(backend)

    assert link.service.health().version == "0"
    assert not link.died
    host.let_go(link.child, wait_s=20)
    assert link.died


def test_a_service_that_runs_is_used(toy):
    backend, _, children = toy
    first = host.link(backend)

    second = host.link(backend, start=False)

    assert len(children) == 1
    assert second.child is None
    assert second.service.url == first.service.url


def test_a_handover_of_a_killed_service_is_not_believed(toy):
    backend, _, children = toy
    first = host.link(backend)
    children[0].kill()
    children[0].wait()

    second = host.link(backend)

    assert second.service.url != first.service.url or second.child is not first.child
    assert second.service.health()


def test_a_look_starts_nothing(toy):
    backend, _, children = toy

    with pytest.raises(errors.BackendUnavailable):
        host.link(backend, start=False)

    assert children == []
    assert not backend.data.exists()


def test_a_service_that_breaks_at_its_start_is_told_with_its_last_words(toy):
    backend, moods, _ = toy
    moods.append("broken")

    with pytest.raises(errors.BackendUnavailable, match="upside down"):
        host.link(backend)


def test_a_service_that_never_answers_is_ended(toy):
    backend, moods, children = toy
    moods.append("silent")

    with pytest.raises(errors.BackendUnavailable, match="did not answer"):
        host.link(backend, timeout_s=0.5)

    assert children[0].poll() is not None


def test_a_start_is_given_up_when_blender_lets_go(toy):
    backend, moods, children = toy
    moods.append("silent")

    with pytest.raises(errors.Cancelled):
        host.link(backend, stopping=lambda: True)

    assert children[0].poll() is not None


def test_the_command_says_what_the_preferences_say(tmp_path):
    places.note_python(tmp_path)
    backend = host.ThisComputer(
        data=tmp_path, checkout=tmp_path, device="cuda:1", cache_gb=2.5, finish_jobs=True
    )

    words = host.command(backend)

    assert words[0] == sys.executable
    assert words[1:5] == ["-m", "stripmocap", "serve", "--attached"]
    assert {"cuda:1", "2.5", "--finish-jobs", str(tmp_path)} <= set(words)


def test_an_address_without_encryption_is_refused_before_the_token_is_sent(tmp_path):
    backend = host.MyServer("http://farm.example:1", token="t", data=tmp_path)

    with pytest.raises(errors.NotAllowed):
        host.link(backend)


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(errors.ServiceError):
        host.link(host.ThisComputer(data=tmp_path / "file" / "data", checkout=tmp_path))
