"""What is sent arrives whole, once, for good, and in nobody else's way."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import random
import threading

import pytest
from stripmocap.contract.errors import (
    DiskFull,
    NotThere,
    RequestError,
    StripMocapError,
    TooLarge,
    WrongState,
)
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.queue.job import Footage, Job
from stripmocap.server.web import shelf, uploads
from stripmocap.server.web.uploads import Uploads

ANNA, BERT = "a" * 64, "b" * 64
FILM = random.Random(1).randbytes(50_000)
SHA = hashlib.sha256(FILM).hexdigest()
CHUNK = 7000


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "uploads"


@pytest.fixture
def store(folder):
    return Uploads(folder, limit_bytes=10**6)


def begin(store, content=FILM, *, owner=ANNA, name=None):
    return store.begin(
        hashlib.sha256(content).hexdigest(), size=len(content), owner=owner, name=name
    )


def put(store, offset, stop=None, *, content=FILM, sha256=SHA, owner=ANNA):
    chunk = io.BytesIO(content[offset : stop or offset + CHUNK])
    return store.put(sha256, offset=offset, chunk=chunk, owner=owner)


def send(store, content=FILM, *, owner=ANNA, until=None):
    """Sends a file, or as much of it as there is before `until`."""
    status = begin(store, content, owner=owner)
    while not status.complete and status.received < (until or len(content)):
        status = put(store, status.received, content=content, sha256=status.sha256, owner=owner)
    return status


def test_a_file_arrives_in_chunks(store, folder):
    assert begin(store).received == 0

    status = send(store)

    assert status.complete
    assert (folder / SHA).read_bytes() == FILM
    assert not list(folder.glob("*.part"))


def test_what_is_known_is_not_sent_twice_by_anybody(store):
    send(store)

    assert begin(store, owner=BERT).complete
    assert store.status(SHA, owner=BERT).complete


def test_what_is_half_sent_goes_on_after_a_restart(store, folder):
    half = send(store, until=len(FILM) // 2).received

    again = Uploads(folder, limit_bytes=10**6)

    assert begin(again).received == half
    assert send(again).complete
    assert (folder / SHA).read_bytes() == FILM


def test_what_lies_beyond_what_was_acknowledged_is_not_trusted(store, folder):
    half = send(store, until=20_000).received
    (part,) = folder.glob("*.part")
    with part.open("ab") as file:
        file.write(b"a torn write " * 10_000)

    again = Uploads(folder, limit_bytes=10**6)

    assert again.status(SHA, owner=ANNA).received == half
    assert send(again).complete
    assert (folder / SHA).read_bytes() == FILM


@pytest.mark.parametrize("left", [0, 12_345])
def test_a_disk_that_kept_less_than_it_promised_is_asked_for_the_rest(store, folder, left):
    send(store, until=30_000)
    (part,) = folder.glob("*.part")
    os.truncate(part, left)

    again = Uploads(folder, limit_bytes=10**6)

    assert again.status(SHA, owner=ANNA).received == left
    assert send(again).complete


def test_a_record_that_is_damaged_begins_anew(store, folder):
    send(store, until=30_000)
    (record,) = folder.glob("*.json")
    record.write_text("[[[[", encoding="utf-8")

    with pytest.raises(NotThere):
        store.status(SHA, owner=ANNA)
    assert begin(store).received == 0
    assert send(store).complete


def test_a_chunk_that_came_before_is_passed_over(store):
    first = send(store, until=2 * CHUNK).received

    assert put(store, 0).received == first
    assert put(store, CHUNK).received == first
    assert put(store, CHUNK // 2, 2 * CHUNK + 10).received == 2 * CHUNK + 10
    assert send(store).complete


def test_other_bytes_than_came_before_are_refused(store):
    send(store, until=2 * CHUNK)

    with pytest.raises(WrongState):
        put(store, 0, content=b"x" * CHUNK)
    assert send(store).complete


def test_a_gap_is_refused_with_what_is_expected(store):
    send(store, until=CHUNK)

    with pytest.raises(WrongState, match=f"byte {CHUNK} comes next"):
        put(store, 2 * CHUNK)


def test_more_than_was_announced_is_refused(store):
    begin(store)

    with pytest.raises(RequestError):
        put(store, 0, 10**6, content=FILM + b"x")
    with pytest.raises(RequestError):
        put(store, 0, content=b"")
    assert store.status(SHA, owner=ANNA).received == 0


def test_a_file_with_another_checksum_is_dropped(store, folder):
    false = bytes(len(FILM))
    begin(store)

    with pytest.raises(RequestError, match="checksum"):
        put(store, 0, len(FILM), content=false)

    assert not list(folder.iterdir())
    with pytest.raises(NotThere):
        store.status(SHA, owner=ANNA)
    assert send(store).complete


def test_a_checksum_of_another_size_is_refused_or_begins_anew(store):
    store.begin(SHA, size=3, owner=ANNA)

    assert begin(store).size == len(FILM)
    send(store)
    with pytest.raises(RequestError):
        store.begin(SHA, size=3, owner=ANNA)


def test_a_file_that_nobody_announced_cannot_be_sent(store):
    with pytest.raises(NotThere):
        put(store, 0)


def test_clients_do_not_see_or_spoil_what_others_have_begun(store, folder):
    send(store, until=20_000)

    with pytest.raises(NotThere):
        store.status(SHA, owner=BERT)
    begin(store, owner=BERT)
    put(store, 0, content=b"spoiled " * 1000, owner=BERT)

    assert send(store).complete
    assert (folder / SHA).read_bytes() == FILM
    assert put(store, 8000, owner=BERT).complete  # and Bert need not go on


def test_many_senders_of_one_file_make_it_once(store, folder):
    """Two connections of each of four clients send the same file, chunks in any order."""
    faults = []

    def work(owner: str, seed: int):
        luck = random.Random(seed)
        try:
            status = begin(store, owner=owner)
            while not status.complete:
                offset = max(0, status.received - luck.randrange(2) * CHUNK)
                try:
                    status = put(store, offset, owner=owner)
                except WrongState:
                    status = begin(store, owner=owner)
        except (StripMocapError, OSError) as error:
            faults.append(error)

    threads = [
        threading.Thread(target=work, args=(digit * 64, seed))
        for seed, digit in enumerate("abcdabcd")
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert faults == []
    assert (folder / SHA).read_bytes() == FILM
    assert not list(folder.glob("*.part"))


def test_a_sender_that_is_overtaken_leaves_nothing_behind(store, folder):
    class Overtaken(io.BytesIO):
        def read(self, *size):
            send(store, owner=ANNA)
            return super().read(*size)

    begin(store, owner=BERT)
    status = store.put(SHA, offset=0, chunk=Overtaken(FILM[:CHUNK]), owner=BERT)

    assert status.complete
    assert (folder / SHA).read_bytes() == FILM
    assert not list(folder.glob("*.part"))


# Room.


def film(number: int, size: int = 1000) -> bytes:
    return random.Random(number).randbytes(size)


def test_what_is_larger_than_the_limit_is_refused_at_once(store):
    with pytest.raises(TooLarge):
        store.begin(SHA, size=10**6 + 1, owner=ANNA)
    with pytest.raises(TooLarge):
        store.begin(SHA, size=2**50, owner=ANNA)


def test_what_the_disk_has_no_room_for_is_refused_at_once(folder, monkeypatch):
    store = Uploads(folder, limit_bytes=2**60)

    with pytest.raises(DiskFull):
        store.begin(SHA, size=2**55, owner=ANNA)


def test_the_least_recently_used_goes_for_new_ones(folder):
    store = Uploads(folder, limit_bytes=3500)
    for number in range(3):
        send(store, film(number))
        os.utime(folder / hashlib.sha256(film(number)).hexdigest(), (number, number))
    with store.held(hashlib.sha256(film(0)).hexdigest()):
        pass  # used again, so the second is now the oldest

    send(store, film(3))

    here = [(folder / hashlib.sha256(film(number)).hexdigest()).exists() for number in range(4)]
    assert here == [True, False, True, True]
    assert len(list(folder.glob("*.json"))) == 3


def test_what_a_job_needs_stays_and_new_footage_must_wait(folder):
    needed = {hashlib.sha256(film(number)).hexdigest() for number in range(3)}
    store = Uploads(folder, limit_bytes=3500)
    store.keep(lambda: needed)
    for number in range(3):
        send(store, film(number))

    with pytest.raises(TooLarge):
        begin(store, film(3))

    assert all((folder / sha256).exists() for sha256 in needed)


def test_what_is_announced_counts_before_it_is_sent(folder):
    store = Uploads(folder, limit_bytes=3500)
    for number in range(3):
        begin(store, film(number))

    with pytest.raises(TooLarge):
        begin(store, film(3))


def test_what_nobody_goes_on_with_makes_room(folder):
    store = Uploads(folder, limit_bytes=3500)
    for number in range(3):
        begin(store, film(number))
    for each in folder.glob("*.json"):
        os.utime(each, (0, 0))

    assert send(store, film(3)).complete


def test_a_client_cannot_begin_any_number_of_files(store, monkeypatch):
    monkeypatch.setattr(shelf, "MAX_UNFINISHED", 3)
    for number in range(3):
        begin(store, film(number))

    with pytest.raises(TooLarge):
        begin(store, film(3))
    assert begin(store, film(3), owner=BERT).received == 0


def test_a_full_disk_loses_no_chunk_that_was_acknowledged(store, monkeypatch):
    half = send(store, until=20_000).received

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(uploads.durable, "sync", full)
        with pytest.raises(DiskFull):
            put(store, half)

    assert store.status(SHA, owner=ANNA).received == half
    assert send(store).complete


# Names.


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("walk.mp4", "walk.mp4"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("../../", "upload"),
        ("a\0b\nc\u202egpj.exe", "abcgpj.exe"),
        ("", "upload"),
        (None, "upload"),
        ("x" * 1000, "x" * 255),
    ],
)
def test_a_clients_name_is_shown_and_no_path(store, folder, given, shown):
    begin(store, name=given)
    send(store)

    asked = CaptureRequest(Clip(str(folder / SHA)))
    job = Job("j", ANNA, None, asked, 1, 1, 0, created_s=0.0, folder=folder)
    assert store.footage_of(job) == Footage(f"upload:{SHA}", shown)
    assert {each.name[:64] for each in folder.iterdir()} == {SHA}


def test_pictures_of_a_sequence_are_refused_with_advice(store):
    with pytest.raises(RequestError) as refused:
        begin(store, name="shot.0001.PNG")
    assert "movie" in refused.value.hint


@pytest.mark.parametrize(
    "path", ["upload:", "upload:xyz", f"upload:{SHA}0", f"upload:../{SHA}", f"upload:{SHA.upper()}"]
)
def test_what_only_begins_like_an_upload_is_refused(path):
    with pytest.raises(RequestError):
        uploads.checksum_in(path)


def test_a_path_on_a_disk_is_no_upload(folder):
    assert uploads.checksum_in("/clips/a.mp4") is None
    assert uploads.checksum_at("/clips/a.mp4", folder) is None
    assert uploads.checksum_at(str(folder / "x.mp4"), folder) is None
    assert uploads.checksum_at(str(folder / SHA), folder) == SHA


@pytest.mark.parametrize("sha256", [SHA, "..", "", "0" * 63, f"{SHA}/.."])
def test_only_whole_files_can_be_held(store, sha256):
    begin(store)

    with pytest.raises(NotThere), store.held(sha256):
        pass
