"""Archives made to hurt their reader: refused with the room's own error, in little memory."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from stripmocap.contract import body_file, npz_file, result_file
from stripmocap.contract.errors import BodyFileError, ResultFileError, TruthFileError
from stripmocap.evaluation import truth
from toyshot import toy_capture

MIB = 2**20
LITTLE = 48 * MIB  # the room needs a few; every bomb here would need hundreds
PLAIN = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }"
READERS = [
    (result_file.load, ResultFileError),
    (body_file.load, BodyFileError),
    (lambda path: truth.load(path, camera=None, person=None), TruthFileError),
]


def refused(path: Path, read, error: type[Exception]) -> str:
    """What `read` says against the file at `path`, in little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(error) as refusal:
            read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LITTLE
    return str(refusal.value)


def header(text: str, *, version: tuple[int, int] = (1, 0)) -> bytes:
    size = struct.pack("<H" if version == (1, 0) else "<I", len(text) + 1)
    return b"\x93NUMPY" + bytes(version) + size + text.encode("latin1") + b"\n"


def archive(path: Path, entries: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in entries.items():
            file.writestr(f"{name}.npy", data)
    return path


def zeros(path: Path, *, entries: int, mib_each: int, last: int = 0) -> Path:
    """Arrays of zeros in a file of kilobytes: `mib_each` MiB of doubles an entry."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for index in range(entries):
            with file.open(f"{index}.npy", "w") as entry:
                entry.write(header(PLAIN % (mib_each * MIB // 8)))
                for _ in range(mib_each):
                    entry.write(bytes(MIB))
    return path


def directory_says(path: Path, *, size: int) -> Path:
    """The file at `path`, with the directory claiming that its first entry has `size` bytes."""
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", size)
    path.write_bytes(data)
    return path


def listing(path: Path, entries: int) -> Path:
    """An archive whose directory lists `entries` entries, all at the same place."""
    whole = io.BytesIO()
    np.savez(whole, x=np.zeros(3))
    data = whole.getvalue()
    start = data.index(b"PK\x01\x02")
    one = data[start : data.index(b"PK\x05\x06")]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, len(one) * entries, start, 0)
    path.write_bytes(data[:start] + one * entries + end)
    return path


@pytest.mark.parametrize(("read", "error"), READERS)
def test_a_file_of_kilobytes_that_becomes_hundreds_of_megabytes_is_refused(tmp_path, read, error):
    path = zeros(tmp_path / "bomb.npz", entries=3, mib_each=100)

    said = refused(path, read, error)

    assert path.stat().st_size < 2 * MIB
    assert "would become" in said


def test_a_directory_that_understates_an_entry_gains_nothing(tmp_path):
    path = directory_says(zeros(tmp_path / "bomb.npz", entries=1, mib_each=300), size=200)

    refused(path, result_file.load, ResultFileError)


def test_a_directory_that_overstates_an_entry_gains_nothing(tmp_path):
    path = archive(tmp_path / "bomb.npz", {"x": header(PLAIN % 3) + bytes(24)})

    refused(directory_says(path, size=2**32 - 2), result_file.load, ResultFileError)


@pytest.mark.parametrize("read_error", READERS)
@pytest.mark.parametrize(
    "text",
    [
        PLAIN % 10**9,
        PLAIN % 2**63,
        PLAIN % "-1, -3",
        PLAIN % "2**40",
        "{'descr': '(100000,100000)f8', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<U500000000', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': " + "[('a', " * 400 + "'f8'" + ")]" * 400 + ", 'fortran_order': 0, 'shape': ()}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': " + "(" * 3000 + ")" * 3000 + "}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 4000 + "), }",
        "-" * 9000 + "1",
        " " * 60_000,
    ],
)
def test_a_header_that_claims_more_than_there_is_is_refused(tmp_path, text, read_error):
    path = archive(tmp_path / "bomb.npz", {"format": header(text) + bytes(24)})

    refused(path, *read_error)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0), (9, 9)])
def test_a_long_header_of_any_version_is_refused(tmp_path, version):
    data = header(PLAIN % 3, version=version)[:10] + b"\xff" * 200

    refused(archive(tmp_path / "bomb.npz", {"x": data}), result_file.load, ResultFileError)


@pytest.mark.parametrize("count", [npz_file.MOST_ENTRIES + 1, 100_000, 10**6])
def test_an_archive_of_very_many_entries_is_refused(tmp_path, count):
    refused(listing(tmp_path / "bomb.npz", count), result_file.load, ResultFileError)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_inflates_without_bound_is_refused(tmp_path, method):
    path = archive(tmp_path / "bomb.npz", {"x": header(PLAIN % 3) + bytes(24)}, method=method)

    assert "compressed" in refused(path, result_file.load, ResultFileError)


def test_what_is_as_dense_as_a_real_file_may_be_is_read(tmp_path):
    path = tmp_path / "long.npz"
    npz_file.write(path, {"dmpls": np.zeros((100_000, 8))}, error=ResultFileError)

    assert npz_file.read(path, error=ResultFileError)["dmpls"].shape == (100_000, 8)


def test_only_the_entries_asked_for_are_read(tmp_path):
    good = header(PLAIN % 3) + bytes(24)
    path = archive(tmp_path / "a.npz", {"good": good, "bad": b"nonsense"})

    found = npz_file.read(path, error=ResultFileError, names=("good",))

    assert list(found) == ["good"]


def capture_with(path: Path, **entries: object) -> Path:
    """A sound capture, with some of its entries replaced."""
    result_file.save(toy_capture(), path)
    npz_file.write(
        path, npz_file.read(path, error=ResultFileError) | entries, error=ResultFileError
    )
    return path


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"request":' * 50_000 + "{}" + "}" * 50_000,
        "[" + "[]," * 3_000_000 + "[]]",
        '{"format": ' + "9" * 100_000 + "}",
        json.dumps({"request": "x" * result_file.MOST_PROVENANCE}),
    ],
)
def test_a_provenance_made_to_hurt_is_refused(tmp_path, text):
    path = capture_with(tmp_path / "a.npz", provenance=np.array(text))

    with pytest.raises(ResultFileError):
        result_file.load(path)


def test_a_take_named_a_million_times_is_refused(tmp_path):
    path = capture_with(tmp_path / "a.npz", takes=np.array(["fitted"] * 10**6))

    assert "more than once" in refused(path, result_file.load, ResultFileError)


def test_a_person_named_a_million_times_is_refused(tmp_path):
    label = toy_capture().takes[0].label
    path = capture_with(tmp_path / "a.npz", **{f"{label}.persons": np.zeros(10**6, np.int64)})

    assert "more than once" in refused(path, result_file.load, ResultFileError)


def test_a_sparse_matrix_of_any_size_is_refused(tmp_path):
    arrays = npz_file.read(body_file.EMBEDDED_BODY, error=BodyFileError)
    path = tmp_path / "body.npz"
    for shape in ((60_000, 60_000), (24, 10**15), (10,) * 8, (-1, 5)):
        npz_file.write(path, arrays | {"J_regressor.shape": np.array(shape)}, error=BodyFileError)

        refused(path, body_file.load, BodyFileError)
