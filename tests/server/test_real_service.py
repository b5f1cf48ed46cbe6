from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from server.running import Running, until
from stripmocap.contract import result_file
from stripmocap.contract.jobs import ENDED
from stripmocap.contract.messages import CaptureRequest, Clip

REAL_COMMAND = (sys.executable, "-m", "stripmocap", "serve")
CLIP = Path(__file__).parents[2] / "demo" / "walk.mp4"
WITHIN_S = 240.0  # for torch to load and a second of footage to be captured, on a busy machine
CANCEL_S = 2.0


@pytest.mark.slow
@pytest.mark.usefixtures("blazepose")
def test_a_job_is_cancelled_retried_and_resumed_by_the_real_worker(tmp_path):
    with Running(tmp_path / "data", "--device", "cpu", command=REAL_COMMAND) as running:
        service = running.service()
        job = service.submit(CaptureRequest(Clip(str(CLIP), stop_s=1.0)))
        until(lambda: service.job(job.id).progress.stage == "fit", within_s=WITHIN_S)

        began = time.monotonic()
        assert service.cancel(job.id).state == "cancelled"
        until(lambda: service.health().running == 0)
        assert time.monotonic() - began < 10 * CANCEL_S
        assert service.cache().entries["people"] == 1

        service.retry(job.id)
        stages = set()

        def ended() -> bool:
            now = service.job(job.id)
            stages.add(now.progress.stage)
            return now.state in ENDED

        until(ended, within_s=WITHIN_S)
        done = service.job(job.id)
        service.result(job.id, tmp_path / "result.npz")

    assert (done.state, done.attempts) == ("done", 2)
    assert "people" not in stages  # found the first time, and kept
    capture = result_file.load(tmp_path / "result.npz")
    (motion,) = capture.takes[-1].motions
    assert len(motion.times_s) > 20
    assert capture.provenance["request"]["clip"]["stop_s"] == 1.0


@pytest.mark.slow
@pytest.mark.usefixtures("blazepose")
def test_who_is_there_is_told_by_the_real_worker(tmp_path):
    with Running(tmp_path / "data", "--device", "cpu", command=REAL_COMMAND) as running:
        service = running.service()
        job = service.submit(CaptureRequest(Clip(str(CLIP), stop_s=1.0), estimator=None))
        told = {}

        def ended() -> bool:
            now = service.job(job.id)
            told[now.progress.stage] = now.progress.left_s
            return now.state in ENDED

        until(ended, within_s=WITHIN_S)
        assert service.job(job.id).state == "done"
        service.result(job.id, tmp_path / "people.npz")

    assert "fit" not in told
    assert told["people"] is not None  # how long it will take was told
    found = result_file.load(tmp_path / "people.npz")
    assert found.takes == ()
    (track,) = found.tracks
    assert len(track.times_s) > 20
    assert len(track.pictures) > 0
