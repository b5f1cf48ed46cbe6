"""A whole application on a folder, a supervisor that runs nothing, and clients that call it."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.testclient import TestClient
from stripmocap.contract.jobs import CLIENT_HEADER, DeviceStatus, JobProgress
from stripmocap.server import listener
from stripmocap.server.life import Life
from stripmocap.server.queue.store import Store
from stripmocap.server.web import app
from stripmocap.server.web.events import Events
from stripmocap.server.web.uploads import Uploads
from stripmocap.settings import Settings
from stripmocap.steps import StepStore

TOKEN = "t0ken-" + "x" * 40
ANNA, BERT = "a" * 32, "b" * 32
ADDRESS = "http://127.0.0.1:8123"
FOOTAGE = b"not a film, but bytes " * 1000


@dataclass
class Idle:
    """A supervisor whose workers never begin."""

    woken: int = 0
    cancelled: list[str] = field(default_factory=list)
    said: dict[str, JobProgress] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def wake(self):
        self.woken += 1

    def cancel(self, job):
        self.cancelled.append(job.id)

    def progress(self, job_id):
        return self.said.get(job_id)

    def devices(self):
        return (DeviceStatus("cpu", "a processor", "ready", 8 * 2**30, None),)


class Service:
    """The application and its parts, on the folder `data`."""

    def __init__(self, data: Path, *, token: str = TOKEN, **settings):
        settings.setdefault("upload_bytes", 10 * 2**20)
        self.settings = Settings(data=data, **settings)
        self.events = Events("0123456789abcdef", settle_s=0.0)
        self.notices: list[str] = []
        self.life = Life(self.events.epoch, notices=lambda: self.notices)
        self.store = Store(data, changed=self.events.changed)
        self.supervisor = Idle()
        self.uploads = Uploads(data / "uploads", limit_bytes=self.settings.upload_bytes)
        self.steps = StepStore(data / "cache", limit_bytes=2**20)
        self.app = app.make(
            store=self.store,
            supervisor=self.supervisor,
            events=self.events,
            uploads=self.uploads,
            settings=self.settings,
            token=token,
            steps=self.steps,
            life=self.life,
        )

    def client(self, key: str | None = ANNA, *, token: str | None = TOKEN, at: str = ADDRESS):
        """Somebody who calls; None leaves a header out."""
        headers = {"Authorization": f"Bearer {token}", CLIENT_HEADER: key}
        given = {"Authorization": token, CLIENT_HEADER: key}
        return TestClient(
            self.app,
            base_url=at,
            headers={name: text for name, text in headers.items() if given[name] is not None},
            client=("127.0.0.1", 50000),
        )

    def run_next(self):
        """The next job, running."""
        return self.store.claim("cpu")

    def finish_next(self, content: bytes = b"a result"):
        """The next job, done, with a result that holds `content`."""
        job = self.run_next()
        made = job.work / "result.npz"
        made.write_bytes(content)
        return self.store.succeed(job.id, made)


@contextmanager
def listening(service: Service):
    """The service on a port of this machine, in a thread; its address."""
    with listener.bind(service.settings) as bound:
        ready = threading.Event()
        server = listener.Listener(service.app, service.settings, listening=ready.set)
        thread = threading.Thread(target=lambda: server.run(sockets=[bound]), daemon=True)
        thread.start()
        assert ready.wait(20)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            service.events.close()
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def job_body(path: str = "/clips/walk.mp4", **entries) -> dict:
    """What asks for a capture of `path`."""
    return {"request": {"clip": {"path": path}}, **entries}


def send(client, content: bytes = FOOTAGE, *, name: str | None = None, chunk: int = 8000) -> str:
    """Sends a file in chunks; its path for a clip."""
    digest = sha256(content)
    asked = {"sha256": digest, "size": len(content), **({"name": name} if name else {})}
    status = client.post("/v1/uploads", json=asked).json()
    while not status["complete"]:
        at = status["received"]
        answer = client.put(
            f"/v1/uploads/{digest}", params={"offset": at}, content=content[at : at + chunk]
        )
        assert answer.status_code == 200, answer.text
        status = answer.json()
    return f"upload:{digest}"


def submit(client, path="/clips/walk.mp4", **entries) -> dict:
    answer = client.post("/v1/jobs", json=job_body(path, **entries))
    assert answer.status_code == 201, answer.text
    return answer.json()


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
