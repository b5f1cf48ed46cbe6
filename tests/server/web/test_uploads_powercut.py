"""Footage on its way when the power fails at any moment: what was acknowledged is on the disk."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import sys

import pytest
from stripmocap.contract.errors import NotThere
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.experiments import powercut
from stripmocap.experiments.powercut import SURVIVALS, Disk
from stripmocap.server.queue.job import Footage, Job
from stripmocap.server.web.uploads import Uploads

OWNER = "a" * 64
CHUNK = 5000
FILM = random.Random(3).randbytes(4 * CHUNK - 1000)
SHA = hashlib.sha256(FILM).hexdigest()
SENDER = f"""
import io, os, random, sys
from pathlib import Path
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.queue.job import Footage, Job
from stripmocap.server.web.uploads import Uploads
data, marks = map(Path, sys.argv[1:])
film = random.Random(3).randbytes({len(FILM)})
said = os.open(marks, os.O_CREAT | os.O_WRONLY)
store = Uploads(data / "uploads", limit_bytes=10**6)
status = store.begin({SHA!r}, size=len(film), owner={OWNER!r}, name="walk.mp4")
while not status.complete:
    os.write(said, b"%d" % status.received)
    chunk = io.BytesIO(film[status.received:][:{CHUNK}])
    status = store.put({SHA!r}, offset=status.received, chunk=chunk, owner={OWNER!r})
os.write(said, b"%d" % status.received)
"""


def send_rest(store: Uploads) -> int:
    """Sends what is missing; how much was there before."""
    status = store.begin(SHA, size=len(FILM), owner=OWNER)
    had = status.received
    while not status.complete:
        chunk = io.BytesIO(FILM[status.received :][:CHUNK])
        status = store.put(SHA, offset=status.received, chunk=chunk, owner=OWNER)
    return had


@pytest.mark.parametrize("survival", SURVIVALS)
def test_what_was_acknowledged_is_there_and_the_rest_can_be_sent(tmp_path, survival):
    recorder = powercut.build(tmp_path)
    if recorder is None:
        pytest.skip("the recorder needs Linux and a C compiler")
    data, marks = tmp_path / "data", tmp_path / "marks"
    data.mkdir()
    command = [sys.executable, "-c", SENDER, str(data.resolve()), str(marks.resolve())]
    events = powercut.record(command, data, marks=marks, recorder=recorder)
    disk, promised = Disk(), 0

    for number, event in enumerate(events):
        disk.happen(event)
        if event.what == powercut.MARK:
            promised = int(event.data)
        left = tmp_path / "left"
        disk.survive(left, survival, rng=random.Random(number))
        store = Uploads(left / "uploads", limit_bytes=10**6)

        assert send_rest(store) >= promised
        assert (left / "uploads" / SHA).read_bytes() == FILM
        shutil.rmtree(left)
    assert promised == len(FILM)


def test_the_name_of_the_footage_is_kept_with_it(tmp_path):
    store = Uploads(tmp_path / "uploads", limit_bytes=10**6)
    with pytest.raises(NotThere):
        store.status(SHA, owner=OWNER)
    store.begin(SHA, size=len(FILM), owner=OWNER, name="walk.mp4")
    send_rest(store)

    again = Uploads(tmp_path / "uploads", limit_bytes=10**6)

    asked = CaptureRequest(Clip(str(again.folder / SHA)))
    job = Job("j", OWNER, None, asked, 1, 1, 0, created_s=0.0, folder=tmp_path)
    assert again.footage_of(job) == Footage(f"upload:{SHA}", "walk.mp4")
