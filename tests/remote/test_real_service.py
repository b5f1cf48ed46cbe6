"""The watcher with the real service of this repository, which it starts and ends."""

import queue
import sys
import time
from pathlib import Path

import pytest
from stripmocap_extension.addon.contract import messages
from stripmocap_extension.addon.remote import errands, host
from stripmocap_extension.addon.remote.watcher import Watcher

pytest.importorskip("uvicorn", reason="needs the backend")

pytestmark = pytest.mark.slow

DEADLINE_S = 120.0


def test_a_service_is_started_given_a_job_and_gone_with_its_client(tmp_path):
    (tmp_path / "results").mkdir()
    watcher = Watcher(tmp_path / "results")
    backend = host.ThisComputer(
        data=tmp_path / "data", checkout=tmp_path, python=Path(sys.executable)
    )
    watcher.start()
    try:
        watcher.ask(errands.Connect(backend))
        clip = messages.Clip(str(tmp_path / "missing.mp4"))
        watcher.ask(errands.Submit("k.1", messages.CaptureRequest(clip)))

        failed = _until(watcher, lambda news: _failed(news))
        assert failed.error.code == "video"
        assert "missing.mp4" in failed.error.message
    finally:
        watcher.stop(wait_s=20.0)

    deadline = time.monotonic() + DEADLINE_S
    while (tmp_path / "data" / "server.json").exists():
        assert time.monotonic() < deadline, "the service did not end"
        time.sleep(0.1)


def _failed(news):
    jobs = news.jobs if isinstance(news, errands.JobsNews) else ()
    return next((each for each in jobs if each.state == "failed"), None)


def _until(watcher, wanted):
    deadline, told = time.monotonic() + DEADLINE_S, []
    while True:
        try:
            news = watcher.news.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"it was not told among {told}") from None
        told.append(news)
        found = wanted(news)
        if found:
            return found
