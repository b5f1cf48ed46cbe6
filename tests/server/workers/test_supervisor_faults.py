"""Workers that die, hang, lie or eat memory, stores that refuse, and servers that vanish."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from server.service import DEADLINE_S, Service
from stripmocap.contract.errors import DiskFull, QueueUnavailable
from stripmocap.contract.jobs import JobProgress
from stripmocap.server.queue.store import Store
from stripmocap.server.workers import seat, strikes

SERVER = Path(__file__).parents[1] / "toyserver.py"
MIB = 2**20


@pytest.fixture
def service(tmp_path):
    with Service(tmp_path) as service:
        yield service


@pytest.fixture
def quick_starts(monkeypatch):
    monkeypatch.setattr(seat, "FIRST_PAUSE_S", 0.01)


@pytest.mark.parametrize("stage", ["people", "fit"])
def test_a_worker_that_is_killed_costs_one_attempt(service, stage):
    job = service.until_works(service.add(f"wait-{stage}"))
    (before,) = service.workers()

    before.kill()
    service.until(lambda: service.store.get(job.id).attempts == 2)
    service.go()

    job = service.until_ended(job)
    assert (job.state, job.strikes, job.small) == ("done", 1, True)
    assert "SIGKILL" in job.notes[0]
    assert "SIGKILL" in (job.folder / "log.txt").read_text(encoding="utf-8")


def test_a_worker_that_ends_before_it_says_anything_of_its_job_is_not_the_jobs_fault(
    service, quick_starts
):
    job = service.add("early")
    service.until(lambda: service.store.get(job.id).attempts == 2)
    service.go()

    job = service.until_ended(job)
    assert (job.state, job.strikes, job.small) == ("done", 0, False)


def test_a_job_that_always_ends_its_worker_before_anything_is_said_fails_in_the_end(
    service, quick_starts
):
    job = service.until_ended(service.add("early"))

    assert (job.state, job.attempts) == ("failed", strikes.FALSE_STARTS + 2)


def test_a_queue_whose_every_job_ends_its_worker_fails_ever_more_slowly(service, monkeypatch):
    pauses = []
    monkeypatch.setattr(seat, "_pause_after", lambda failures: pauses.append(failures) or 0.0)
    for _ in range(4):
        service.until_ended(service.add("exit"))
    failed = [each for each in pauses if each > 0]
    service.until_ended(service.add("walk"))
    service.until_ended(service.add("exit"))

    assert failed == [1, 2, 3, 4]
    assert max(pauses[8:]) <= 0


def test_what_a_dead_worker_was_writing_is_removed_and_nothing_else(service):
    job = service.until_works(service.add("sleep"))
    half = job.folder / ".partial.npz.abc.part"
    stores = job.folder / ".outcome.json.abc.part"
    half.touch()
    stores.touch()

    service.workers()[0].kill()

    service.until(lambda: not half.exists())
    assert stores.exists()


def test_the_share_of_a_job_does_not_fall_when_its_worker_dies(service):
    job = service.until_works(service.add("wait-fit"))
    service.until(lambda: progress_of(service, job).share > 0.05)
    shares = [progress_of(service, job).share]

    service.workers()[0].kill()
    service.until(lambda: service.store.get(job.id).attempts == 2)
    service.until(lambda: progress_of(service, job).stage != "")
    shares.append(progress_of(service, job).share)

    assert shares == sorted(shares)


def test_a_worker_that_dies_without_a_job_is_replaced(service):
    service.until_ready()
    (before,) = service.workers()

    before.kill()

    service.until(lambda: service.workers() not in ([], [before]))
    assert service.until_ended(service.add("walk")).state == "done"


def test_a_worker_that_cannot_start_is_tried_again_ever_less_often(tmp_path, quick_starts):
    with Service(tmp_path, habit="unloadable") as service:
        job = service.add("walk")
        service.until(lambda: service.supervisor.devices()[0].state == "failed")

        (notice,) = service.supervisor.notices
        assert "in a row" in notice
        assert service.store.get(job.id).state == "queued"
        log = tmp_path / "data" / "logs" / "worker-0.log"
        service.until(lambda: "no device here" in log.read_text(encoding="utf-8"))
        assert str(log) in notice


def test_pauses_grow_and_stay_bounded():
    pauses = [seat._pause_after(failures) for failures in range(40)]

    assert pauses[:3] == [0.0, 0.5, 1.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == seat.LONGEST_PAUSE_S


def test_a_worker_that_can_start_after_all_does_what_waits(tmp_path, quick_starts):
    with Service(tmp_path, habit="unborn") as service:
        job = service.add("walk")
        service.until(lambda: service.supervisor.devices()[0].state == "failed")

        service.go()

        assert service.until_ended(job).state == "done"
        assert service.supervisor.notices == ()


def test_a_command_that_is_no_program_is_a_failed_device_and_no_crash(tmp_path, quick_starts):
    service = Service(tmp_path)
    service.supervisor._seats[0]._command = [str(tmp_path / "nothing")]

    with service:
        service.until(lambda: service.supervisor.devices()[0].state == "failed")

        assert "cannot be started" in service.supervisor.notices[0]


def test_a_worker_that_does_not_load_is_ended_and_another_one_started(tmp_path, monkeypatch):
    monkeypatch.setattr(seat, "LOAD_S", 0.5)
    with Service(tmp_path, habit="loading", stall_s=0.5) as service:
        service.until(lambda: service.workers())
        (before,) = service.workers()

        service.until(lambda: service.workers() not in ([], [before]))

        assert not before.is_running()


def test_nonsense_from_a_worker_is_passed_over(tmp_path):
    with Service(tmp_path, habit="babbling") as service:
        assert service.until_ended(service.add("walk")).state == "done"


def test_a_worker_that_says_nothing_for_too_long_is_ended(tmp_path):
    with Service(tmp_path, stall_s=1.0) as service:
        job = service.until_ended(service.add("sleep"))

        assert (job.state, job.attempts, job.error.code) == ("failed", 2, "worker_died")
        assert "said nothing" in job.error.message


def test_a_worker_that_takes_too_much_memory_is_ended(tmp_path):
    with Service(tmp_path, worker_bytes=300 * MIB) as service:
        job = service.until_ended(service.add("hog"))

        assert (job.state, job.attempts) == ("failed", 2)
        assert "GiB" in job.error.message
        assert service.until_ended(service.add("walk")).state == "done"


def test_a_result_waits_for_space_on_the_disk_and_says_so(service):
    job = service.add("full")
    service.until(lambda: service.supervisor.notices != ())

    assert "as soon as there is space" in service.supervisor.notices[0]
    service.go()
    assert service.until_ended(job).state == "done"
    service.until(lambda: service.supervisor.notices == ())


def test_a_job_that_waits_for_space_can_be_cancelled(service):
    job = service.add("full")
    service.until(lambda: service.supervisor.notices != ())

    service.cancel(job)

    service.until_idle()
    assert service.supervisor.notices == ()


def test_the_log_of_a_job_is_bounded(service):
    job = service.until_ended(service.add("babble"))

    service.until(lambda: (job.folder / "log.txt").stat().st_size <= MIB)
    assert b"bbb" in (job.folder / "log.txt").read_bytes()


class RefusingStore(Store):
    """A store that now and then refuses everything that the supervisor says."""

    refusal: Exception | None = None

    def claim(self, device):
        self._refuse()
        return super().claim(device)

    def succeed(self, job_id, made, *, notes=()):
        self._refuse()
        return super().succeed(job_id, made, notes=notes)

    def fail(self, job_id, error):
        self._refuse()
        return super().fail(job_id, error)

    def keep_share(self, job_id, share):
        self._refuse()
        return super().keep_share(job_id, share)

    def _refuse(self):
        if self.refusal:
            raise self.refusal


@pytest.fixture
def refusing(tmp_path, monkeypatch):
    monkeypatch.setattr(seat, "STORE_PAUSE_S", 0.05)
    with Service(tmp_path, store=RefusingStore(tmp_path / "data")) as service:
        yield service


@pytest.mark.parametrize("refusal", [QueueUnavailable("it is locked"), DiskFull("it is full")])
@pytest.mark.parametrize(("deed", "state"), [("wait", "done"), ("wait-fit", "done")])
def test_what_the_store_refuses_waits_until_it_does_not(refusing, refusal, deed, state):
    job = refusing.until_works(refusing.add(deed))
    refusing.store.refusal = refusal
    refusing.go()
    refusing.until(lambda: refusing.supervisor.notices != ())
    time.sleep(0.2)  # some refusals more

    assert refusing.store.get(job.id).state == "running"
    assert not refusing.supervisor.idle
    assert refusing.supervisor.progress(job.id) is not None
    refusing.store.refusal = None
    assert refusing.until_ended(job).state == state
    assert refusing.until_ended(refusing.add("walk")).state == "done"
    refusing.until(lambda: refusing.supervisor.notices == ())


def test_a_queue_that_cannot_be_read_is_asked_again(refusing):
    refusing.until_ready()
    refusing.store.refusal = QueueUnavailable("it is locked")
    job = refusing.add("walk")
    refusing.until(lambda: refusing.supervisor.notices != ())

    refusing.store.refusal = None

    assert refusing.until_ended(job).state == "done"


def test_a_result_that_is_not_there_fails_the_job(service):
    job = service.until_works(service.add("wait"))
    attempt = service.supervisor._seats[0]._attempt
    attempt.job.work.rename(attempt.job.folder / "moved")
    service.go()

    assert service.until_ended(job).state == "failed"


def test_stopping_puts_the_job_back_and_ends_the_worker(tmp_path):
    with Service(tmp_path) as service:
        job = service.until_works(service.add("wait"))
        (worker,) = service.workers()

        service.supervisor.stop()

        job = service.store.get(job.id)
        assert (job.state, job.strikes, len(job.notes)) == ("queued", 0, 1)
        assert not worker.is_running()
        assert service.supervisor.devices()[0].state == "stopped"


@pytest.mark.parametrize(("habit", "deed"), [("loading", None), ("well", "freeze")])
def test_stopping_is_quick_whatever_the_worker_does(tmp_path, habit, deed):
    with Service(tmp_path, habit=habit) as service:
        if deed:
            service.until_works(service.add(deed))
        service.until(lambda: service.workers())
        (worker,) = service.workers()

        began = time.monotonic()
        service.supervisor.stop()

        assert time.monotonic() - began < 10  # a hundredth, on a machine that does nothing else
        assert not worker.is_running()


@pytest.mark.parametrize(("habit", "deed"), [("loading", ""), ("well", "wait"), ("well", "sleep")])
def test_no_worker_outlives_a_server_that_is_killed(tmp_path, habit, deed):
    server, worker = started(tmp_path, habit=habit, deed=deed)

    server.kill()
    server.wait()

    gone, alive = psutil.wait_procs([worker], timeout=DEADLINE_S)
    assert gone
    assert not alive


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a frozen process's children")
def test_not_even_a_frozen_worker_outlives_a_server_that_is_killed(tmp_path):
    server, worker = started(tmp_path, habit="well", deed="freeze")

    os.kill(server.pid, signal.SIGKILL)
    server.wait()

    gone, _ = psutil.wait_procs([worker], timeout=DEADLINE_S)
    assert gone


def test_two_devices_work_at_once_and_no_job_is_done_twice(tmp_path):
    with Service(tmp_path, devices=("cpu", "cpu")) as service:
        first, second = (service.add("wait") for _ in range(2))
        service.until_works(first)
        service.until_works(second)
        more = [service.add("walk") for _ in range(10)]

        service.go()

        assert {service.until_ended(each).attempts for each in (first, second, *more)} == {1}
        assert len(service.workers()) == 2


def started(folder: Path, *, habit: str, deed: str) -> tuple[subprocess.Popen, psutil.Process]:
    """A server process whose worker does the deed, and that worker."""
    server = subprocess.Popen(
        [sys.executable, str(SERVER), str(folder), habit, deed], stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    with server.stdout as said:
        return server, psutil.Process(int(said.readline()))


def progress_of(service: Service, job) -> JobProgress:
    return service.supervisor.progress(job.id) or JobProgress()
