"""Weights made to run code or to take all memory: refused, and nothing runs."""

from __future__ import annotations

import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from stripmocap import checkpoints
from stripmocap.body import official, pickles
from stripmocap.contract.errors import AssetCorrupt, BodyFileError, StripMocapError
from stripmocap.methods.hmr.weights import load_pixel_network
from stripmocap.methods.smplify.priors import PosePrior
from stripmocap.methods.vibe.pixel_network import Generator
from stripmocap.methods.vibe.weights import load_generator

LITTLE = 200 * 2**20  # bytes; what is refused here would take tens of gigabytes


class Trap:
    """Leaves a file behind if a pickle of it is ever read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def pickled(path: Path, trap: Trap) -> None:
    path.write_bytes(pickle.dumps({"means": trap}))


def torch_file(path: Path, trap: Trap) -> None:
    torch.save({"means": trap}, path)


def old_torch_file(path: Path, trap: Trap) -> None:
    torch.save({"means": trap}, path, _use_new_zipfile_serialization=False)


def object_archive(path: Path, trap: Trap) -> None:
    with path.open("wb") as file:
        np.savez(file, v_template=np.array([trap], dtype=object))


def object_array(path: Path, trap: Trap) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([trap], dtype=object))


def pickle_in_zip(path: Path, trap: Trap) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("v_template.npy", pickle.dumps(trap))


WRITERS = (pickled, torch_file, old_torch_file, object_archive, object_array, pickle_in_zip)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("suffix", [".pkl", ".npz", ".safetensors", ".pt"])
@pytest.mark.parametrize(
    "read",
    [
        *(checkpoints.load_arrays, pickles.read_pickle, official.read_official, PosePrior.load),
        *(load_pixel_network, load_generator),
    ],
)
def test_no_reader_of_weights_runs_what_a_file_says(tmp_path, write, suffix, read):
    path, trap = tmp_path / f"weights{suffix}", Trap(tmp_path / "ran")
    write(path, trap)

    if (write, read) == (old_torch_file, pickles.read_pickle):
        assert isinstance(read(path), int)  # what stands first in such a file; the rest is not read
    else:
        with pytest.raises(StripMocapError):
            read(path)

    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_regressor_that_runs_code_is_refused(tmp_path):
    path = tmp_path / "J_regressor_extra.npy"
    object_array(path, Trap(tmp_path / "ran"))

    with pytest.raises(BodyFileError):
        official.read_regressor(path, rows=9)

    assert not (tmp_path / "ran").exists()


def test_a_regressor_that_claims_to_be_huge_is_refused(tmp_path):
    path = tmp_path / "J_regressor_extra.npy"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (9, 10000000000), }\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)

    with pytest.raises(BodyFileError):
        official.read_regressor(path, rows=9)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # names its two thousand millionth value
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.",  # a frame of eight exabytes
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x00.",  # bytes, as many
        b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00.",
        b"\x80\x02X\xff\xff\xff\xff.",
        b"Np9999999999\n.",
        b"\x80\x02" + b"(" * 10**6 + b".",
        b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b".",
        # One string made into bytes ten thousand times.
        b"\x80\x02c_codecs\nencode\nq\x00X\x00\x00\x10\x00" + b"a" * 2**20
        + b"q\x01X\x06\x00\x00\x00latin1q\x020" + b"]" + b"h\x00h\x01h\x02\x86Ra" * 10**4 + b".",
    ],
    ids=range(9),
)  # fmt: skip
def test_a_pickle_that_would_take_all_memory_takes_little(tmp_path, raw):
    path = tmp_path / "bomb.pkl"
    path.write_bytes(raw)
    tracemalloc.start()
    try:
        with suppress(AssetCorrupt):  # some are harmless once they are read with care
            assert pickles.read_pickle(path) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < LITTLE


def with_header(path: Path, header: object, *, size: int | None = None, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if size is None else size) + text + data)
    return path


def tensor(dtype: str = "F32", shape=(2,), offsets=(0, 8)) -> dict:
    return {"means": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


@pytest.mark.parametrize(
    "header",
    [
        tensor(shape=(10**12,), offsets=(0, 4 * 10**12)),
        tensor(shape=(-1,)),
        tensor(shape=(2**40, 2**40)),
        tensor(offsets=(8, 0)),
        tensor(offsets=(-8, 8)),
        tensor(dtype="F8_E4M3", offsets=(0, 2)),
        tensor(dtype="BF16", offsets=(0, 4)),
        tensor(dtype="object"),
        b"[" * 50_000,
        b"{" + b'"a":' * 50_000,
        b"\xff\xfe",
        [],
        {"means": None},
        {"__metadata__": {"a": 1}},
    ],
    ids=range(14),
)
def test_a_header_of_weights_that_lies_is_refused(tmp_path, header):
    path = with_header(tmp_path / "weights.safetensors", header, data=bytes(8))

    with pytest.raises(AssetCorrupt):
        checkpoints.load_arrays(path)


def test_a_header_that_is_longer_than_the_file_is_refused(tmp_path):
    for size in (9, 10**8, 2**63, 2**64 - 1):
        path = with_header(tmp_path / "weights.safetensors", tensor(), size=size)

        with pytest.raises(AssetCorrupt):
            checkpoints.load_arrays(path)


def test_weights_with_any_byte_changed_are_refused_or_read(tmp_path):
    path, generator = tmp_path / "weights.safetensors", np.random.default_rng(0)
    save_file({"means": np.zeros((2, 3)), "weights": np.ones(2, np.float32)}, path)
    sound, answers = path.read_bytes(), set()

    for _ in range(400):
        data = bytearray(sound)
        data[generator.integers(len(data))] = generator.integers(256)
        path.write_bytes(data)
        try:
            answers.add(type(checkpoints.load_arrays(path)))
        except AssetCorrupt:
            answers.add(AssetCorrupt)

    assert answers == {dict, AssetCorrupt}


@pytest.mark.parametrize("archive", [True, False])
def test_a_trap_beside_the_weights_of_vibe_is_left_alone(tmp_path, archive):
    path, trap = tmp_path / "vibe.pth.tar", Trap(tmp_path / "ran")
    zero = torch.zeros(())
    state = {name: zero.expand(each.shape) for name, each in Generator().state_dict().items()}
    content = {"gen_state_dict": state, "performance": trap, "gen_optimizer": [trap]}
    torch.save(content, path, _use_new_zipfile_serialization=archive)

    load_generator(path)

    assert not trap.trace.exists()
