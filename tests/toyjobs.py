"""Jobs and a service in memory, for tests of what follows them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from stripmocap_extension.addon.contract import errors, jobs, messages, result_file
from toyshot import toy_capture

DEADLINE_S = 20.0
SMPLIFY = jobs.MethodStatus(
    "smplify", "SMPLify", ("estimator", "refiner"), weights="embedded", ready=True, lacks=()
)
PART = jobs.FileStatus("0" * 64, 1)
VIBE = jobs.MethodStatus("vibe", "VIBE", ("estimator",), weights="embedded", ready=True, lacks=())

HUMOR = jobs.MethodStatus("humor", "HuMoR", ("refiner",), weights="embedded", ready=True, lacks=())


def request(path="walk.mp4"):
    return messages.CaptureRequest(messages.Clip(path))


def status(job_id="1", *, state="queued", key="k.1", request=None, partial=None):
    return jobs.JobStatus(
        id=job_id, key=key, name="walk.mp4", state=state, priority=0, place=0,
        progress=jobs.JobProgress(), request=request or {"body": "neutral"}, attempts=0, notes=(),
        error=None, result=None, partial=partial, created_s=0.0, started_s=None, finished_s=None,
    )  # fmt: skip


def health(*, remote=False):
    return jobs.Health(
        version="1", contract=jobs.CONTRACT, epoch="e", remote=remote, finish_jobs=False,
        devices=(), methods=(SMPLIFY, VIBE, HUMOR),
        queued=0, running=0, disk_free=1, cache_size=0, cache_limit=1, notices=(),
    )  # fmt: skip


class FakeService:
    """A service in memory; `down` makes every call fail."""

    url = "http://127.0.0.1:1"

    def __init__(self, *, remote=False):
        self.remote, self.down, self.epoch = remote, False, "e"
        self.jobs, self.changes, self.calls = {}, [], []
        self.body = {}  # what results say of their body
        self.frames = 3  # of results
        self.upload_steps, self.going_on = 3, threading.Event()
        self.going_on.set()

    def __getattribute__(self, name):
        value = object.__getattribute__(self, name)
        if callable(value) and not name.startswith("_") and name not in {"set", "going_on"}:
            self.__dict__["calls"].append(name)
            if self.__dict__["down"]:
                raise errors.BackendUnavailable("the service does not answer")
        return value

    def _put(self, job):
        self.jobs[job.id] = job
        self.changes.append(job)
        return job

    def health(self):
        return health(remote=self.remote)

    def every_job(self):
        return list(self.jobs.values())

    def events(self, *, after, epoch, wait_s):
        time.sleep(min(wait_s, 0.01))
        number = len(self.changes)
        news = tuple(self.changes[after:number]) if epoch == self.epoch else ()
        return jobs.Events(self.epoch, number, False, news, ())

    def submit(self, request, *, key):
        known = [each for each in self.jobs.values() if each.key == key]
        if known:
            return known[0]
        return self._put(status(str(len(self.jobs) + 1), key=key, request=request.to_json()))

    def cancel(self, job_id):
        return self._put(status(job_id, state="cancelled"))

    def retry(self, job_id):
        return self._put(status(job_id, state="queued"))

    def delete(self, job_id):
        del self.jobs[job_id]

    def log(self, job_id):
        return f"log of {job_id}"

    def result(self, job_id, path, *, report):
        report("download", 1, 1)
        provenance = {"request": self.jobs[job_id].request, "body": self.body}
        made = replace(toy_capture(frames=self.frames), provenance=provenance)
        if self.jobs[job_id].request.get("estimator", "") is None:
            made = replace(made, takes=())
        result_file.save(made, path)
        return self.jobs[job_id]

    def partial(self, job_id, path, *, report):
        if self.jobs[job_id].partial is None:
            raise errors.WrongState("nothing of it can be fetched yet")
        return self.result(job_id, path, report=report)

    def upload(self, path, *, report):
        for step in range(self.upload_steps):
            report("upload", step, self.upload_steps)
            assert self.going_on.wait(DEADLINE_S)
            time.sleep(0.001)
        return "upload:" + "0" * 64
