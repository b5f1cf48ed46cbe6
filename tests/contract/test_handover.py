from __future__ import annotations

import stat
import sys
import threading

import pytest
from stripmocap.contract import handover, private_file
from stripmocap.contract.errors import BackendMismatch, NotAllowed, ServiceError
from stripmocap.contract.handover import Handover, is_loopback

HERE = Handover(
    url="http://127.0.0.1:8000",
    token="a secret",
    pid=17,
    epoch="run",
    version="0.1.0",
    contract=1,
)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def test_what_is_written_is_read(tmp_path):
    handover.write(tmp_path, HERE)

    assert handover.read(tmp_path) == HERE
    assert Handover.of_line(HERE.line()) == HERE
    assert "\n" not in HERE.line()


def test_what_is_removed_is_gone(tmp_path):
    handover.write(tmp_path, HERE)

    handover.remove(tmp_path)

    assert handover.read(tmp_path) is None
    handover.remove(tmp_path)


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"url": "http://a"}', b'{"url": 3}'])
def test_a_damaged_file_hands_nothing_over(tmp_path, left):
    (tmp_path / handover.FILE).write_bytes(left)

    assert handover.read(tmp_path) is None


def test_another_line_is_no_handover():
    with pytest.raises(BackendMismatch, match="handover"):
        Handover.of_line("Traceback (most recent call last):")


@POSIX
def test_only_its_user_may_read_it(tmp_path):
    handover.write(tmp_path, HERE)
    handover.client_key(tmp_path)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes == {handover.FILE: 0o600, handover.CLIENT_KEY_FILE: 0o600}


@POSIX
def test_a_file_that_others_could_read_is_replaced_not_filled(tmp_path):
    path = tmp_path / handover.FILE
    path.touch(mode=0o644)

    handover.write(tmp_path, HERE)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_who_reads_while_it_is_written_sees_one_or_the_other(tmp_path):
    other = Handover(**{**vars(HERE), "token": "another secret" * 100})
    seen = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.add(handover.read(tmp_path))

    handover.write(tmp_path, HERE)
    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(50):
        handover.write(tmp_path, other)
        handover.write(tmp_path, HERE)
    done.set()
    reader.join()

    assert seen <= {HERE, other}
    assert [each.name for each in tmp_path.iterdir()] == [handover.FILE]


def test_a_client_has_one_key_and_keeps_it(tmp_path):
    key = handover.client_key(tmp_path)

    assert handover.client_key(tmp_path) == key
    assert handover.checked_key(key, source="here") == key


def test_programs_that_start_at_once_get_one_key(tmp_path):
    keys = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        keys.append(handover.client_key(tmp_path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(keys) == 8
    assert len(set(keys)) == 1


@pytest.mark.parametrize("text", ["", "0123", "g" * 32, "0" * 33])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(NotAllowed, match="no client key"):
        handover.checked_key(text, source="a file")


def test_a_key_may_be_typed_in_capitals():
    assert handover.checked_key(" ABCDEF0123456789ABCDEF0123456789\n", source="") == (
        "abcdef0123456789abcdef0123456789"
    )


def test_a_folder_that_is_missing_is_said(tmp_path):
    with pytest.raises(ServiceError, match="cannot be written"):
        handover.write(tmp_path / "nowhere", HERE)


def test_what_cannot_be_read_is_said(tmp_path):
    (tmp_path / "key").write_bytes(b"\xff\xfe")

    with pytest.raises(ServiceError, match="cannot be read"):
        private_file.read(tmp_path / "key")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_only_loopback_is_this_machine(host, here):
    assert is_loopback(host) is here
