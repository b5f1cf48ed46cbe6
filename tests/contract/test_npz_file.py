from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from stripmocap.contract import npz_file
from stripmocap.contract.errors import ResultFileError


class Trap:
    """Would leave a file behind if a pickle of it were ever read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def write(path: Path, arrays: dict) -> None:
    npz_file.write(path, arrays, error=ResultFileError)


def read(path: Path) -> dict[str, np.ndarray]:
    return npz_file.read(path, error=ResultFileError)


def with_header(path: Path, header: bytes) -> Path:
    """An .npz file whose one array begins with `header` and has no numbers."""
    with zipfile.ZipFile(path, "w") as archive:
        start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
        archive.writestr("values.npy", start + header)
    return path


def test_what_was_written_is_read(tmp_path):
    written = {"points": np.arange(6.0).reshape(2, 3), "name": np.array("Zoë")}

    write(tmp_path / "a.npz", written)
    found = read(tmp_path / "a.npz")

    assert set(found) == set(written)
    for name, array in written.items():
        assert_array_equal(found[name], array)


def test_only_the_file_asked_for_is_left(tmp_path):
    write(tmp_path / "a.npz", {"x": np.zeros(3)})

    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]


def test_a_failed_write_keeps_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    write(path, {"x": np.zeros(3)})

    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(ResultFileError, match="No space left") as refused:
        write(path, {"x": np.ones(3)})

    assert refused.value.hint
    assert_array_equal(read(path)["x"], np.zeros(3))
    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]


def test_a_folder_that_is_missing_is_said(tmp_path):
    with pytest.raises(ResultFileError, match="cannot be written"):
        write(tmp_path / "none" / "a.npz", {"x": np.zeros(3)})


def test_a_file_that_is_missing_is_said(tmp_path):
    with pytest.raises(ResultFileError, match="is not there"):
        read(tmp_path / "a.npz")


def test_a_pickle_inside_is_refused_and_not_run(tmp_path):
    path, trace = tmp_path / "a.npz", tmp_path / "trace"
    np.savez(path, x=np.array([Trap(trace)], dtype=object))

    with pytest.raises(ResultFileError, match="cannot be read"):
        read(path)

    assert not trace.exists()


def test_nobody_is_told_to_allow_pickles(tmp_path):
    pickled, text = tmp_path / "a.npz", tmp_path / "b.npz"
    np.savez(pickled, x=np.array([None], dtype=object))
    text.write_text("not an archive")

    for path in (pickled, text):
        with pytest.raises(ResultFileError) as refused:
            read(path)
        assert "allow_pickle" not in refused.value.message


def test_a_bare_array_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))

    with pytest.raises(ResultFileError, match="cannot be read"):
        read(path)


@pytest.mark.parametrize(
    "header",
    [
        b"((((",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }\n",
        # 7 PiB: more than any machine has.
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }\n",
    ],
)
def test_an_array_with_a_damaged_header_is_refused(tmp_path, header):
    with pytest.raises(ResultFileError, match="cannot be read"):
        read(with_header(tmp_path / "a.npz", header))


def test_a_file_cut_short_anywhere_is_refused(tmp_path):
    whole = io.BytesIO()
    np.savez_compressed(whole, x=np.arange(50), y=np.ones((3, 3)))
    data = whole.getvalue()
    path = tmp_path / "a.npz"

    for length in range(0, len(data) - 1, 7):
        path.write_bytes(data[:length])
        with pytest.raises(ResultFileError):
            read(path)


def test_a_file_with_any_byte_changed_is_refused_or_read(tmp_path):
    whole = io.BytesIO()
    np.savez_compressed(whole, x=np.arange(50), y=np.ones((3, 3)))
    path, generator = tmp_path / "a.npz", np.random.default_rng(0)
    answers = set()

    for _ in range(300):
        data = bytearray(whole.getvalue())
        data[generator.integers(len(data))] = generator.integers(256)
        path.write_bytes(data)
        try:
            answers.add(type(read(path)))
        except ResultFileError:
            answers.add(ResultFileError)

    assert answers == {dict, ResultFileError}
