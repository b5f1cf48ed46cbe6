"""Checkpoints of PyTorch, read without running anything in them, and named as what they are.

Both forms are read: the archive of today, and the row of pickles that torch before 1.6 wrote, in
which most published weights are. The unpickler builds containers and notes of where tensors lie;
whatever else a checkpoint holds (optimisers, options, a trainer's own classes) becomes an inert
`Foreign`. A tensor's numbers are read only when it is asked for.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .contract.errors import AssetCorrupt, AssetMissing

MOST_PICKLED = 2**26  # bytes of the tree of names
MOST_BYTES = 2**31  # of the old form; checkpoints of regressors have a sixth of it
MOST_SHOWN = 40  # letters of a name in a message; a file may hold any
_MAGIC = 0x1950A86A20F9469CFC6C  # torch's own, of the old form
_COUNT_BYTES = 8  # before each storage of the old form
_ENTRY_HEADER = struct.Struct("<4s5H3L2H")  # of an archive's entry
_DTYPES = {
    f"{name}Storage": dtype
    for name, dtype in {
        "Double": torch.float64,
        "Float": torch.float32,
        "Half": torch.float16,
        "BFloat16": torch.bfloat16,
        "Long": torch.int64,
        "Int": torch.int32,
        "Short": torch.int16,
        "Char": torch.int8,
        "Byte": torch.uint8,
        "Bool": torch.bool,
    }.items()
}
_DAMAGE = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, EOFError, OSError, LookupError, TypeError),
    *(ValueError, ArithmeticError, AttributeError, RuntimeError, MemoryError, RecursionError),
    *(struct.error, zlib.error),
)


class Foreign:
    """A pickled object of any class, which was not built; it holds nothing."""

    def __init__(self, *_args: Any) -> None:
        pass

    def _ignore(self, *_args: Any) -> None:
        pass

    __setstate__ = __setitem__ = append = extend = add = _ignore


class Stored:
    """A tensor in a file."""

    def __init__(
        self, storage: _Storage, offset: int, size: Sequence[int], stride: Sequence[int]
    ) -> None:
        """What lies in `storage` from `offset` on; that and `stride` count numbers, not bytes.

        Raises:
            UnpicklingError: it reaches beyond its storage.
        """
        self.shape, self.stride = tuple(size), tuple(stride)
        self._storage, self._offset = storage, offset
        numbers = (offset, *self.shape, *self.stride)
        if not all(type(each) is int and each >= 0 for each in numbers):
            raise pickle.UnpicklingError(f"a tensor has the sizes {numbers}")
        steps = zip(self.shape, self.stride, strict=True)
        last = offset + sum((count - 1) * step for count, step in steps)
        if 0 not in self.shape and last >= storage.count:
            raise pickle.UnpicklingError("a tensor reaches beyond its storage")

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes a tensor")

    def tensor(self) -> Tensor:
        """The tensor itself, read now. It is as large as the file says: compare `shape` first.

        Raises:
            AssetCorrupt: its numbers are damaged, or the file has changed.
        """
        if 0 in self.shape:
            return torch.empty(self.shape, dtype=self._storage.dtype)
        try:
            flat = torch.frombuffer(self._storage.read(), dtype=self._storage.dtype)
            return flat.as_strided(self.shape, self.stride, self._offset).clone()
        except _DAMAGE as error:
            raise self._storage.damaged(error) from error


def read(path: Path) -> Any:
    """What a checkpoint holds: dicts, lists, plain values, `Stored` tensors, `Foreign` objects.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is damaged, or no checkpoint of torch; the message says what it is.
    """
    if not path.is_file():
        raise AssetMissing(f"{path} is not there", hint="Put the original file there.")
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                return _archive(path)
            file.seek(0)
            if os.fstat(file.fileno()).st_size > MOST_BYTES:
                raise OSError(f"it has more than {MOST_BYTES} bytes")
            return _row_of_pickles(path, file)
    except _DAMAGE as error:
        what = (
            _by_its_bytes(path) or f"no checkpoint that can be read ({error or 'it is cut short'})"
        )
        raise AssetCorrupt(f"{path} is {what}", hint="Download the original file again.") from error


def fitting(entry: Any, wanted: Tensor | None) -> Tensor:
    """The tensor of an entry, for a network that wants one of the shape of `wanted`.

    Args:
        entry: of what `read` found.
        wanted: None: the network wants none.

    Returns:
        The numbers only where the shapes are one; else a tensor of the entry's shape without
        memory, or an empty one, for `checkpoints.fill` to name.

    Raises:
        AssetCorrupt: its numbers are damaged, or the file has changed.
    """
    if wanted is None or not isinstance(entry, Stored):
        return torch.empty(0)
    if entry.shape != tuple(wanted.shape):
        return torch.empty(entry.shape, device="meta")
    return entry.tensor()


def kind_of(content: Any) -> str:
    """What a checkpoint or pickle is, in words, by the names in it."""
    names = set(content) if isinstance(content, Mapping) else set()
    for entry in names & {"model", "state_dict"}:
        if isinstance(content[entry], Mapping):
            names |= set(content[entry])
    for marks, kind in _KINDS:
        if marks <= names:
            return kind
    listed = ", ".join(sorted(str(each)[:MOST_SHOWN] for each in names)[:3])
    return f"a file that begins with {listed}" if listed else "a file without named entries"


_KINDS: tuple[tuple[set[str], str], ...] = (
    ({"gen_state_dict"}, "a VIBE checkpoint"),
    ({"gru.weight_ih_l0", "attention.attention.0.weight"}, "VIBE's motion discriminator"),
    ({"prior_net.net.0.weight", "decoder.net.0.weight"}, "a HuMoR checkpoint"),
    ({"bodyprior_dec_fc1.weight"}, "VPoser"),
    ({"v_template", "shapedirs"}, "a body model"),
    ({"means", "covars", "weights"}, "a mixture of poses"),
    ({"pytorch-lightning_version"}, "a Lightning checkpoint, such as 4D-Humans or GVHMR have"),
    ({"conv1.weight", "fc1.weight", "decpose.weight"}, "a SPIN checkpoint"),
    ({"conv1.weight", "layer4.0.conv1.weight"}, "a ResNet without SPIN's regressor"),
)


@dataclass(frozen=True)
class _Place:
    """Where a storage's bytes are."""

    start: int
    size: int
    checksum: int  # CRC-32; 0: not known


@dataclass(frozen=True)
class _Storage:
    path: Path
    dtype: torch.dtype
    key: str
    count: int
    places: dict[str, _Place]  # by key; of the old form they are known once all is read

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes a storage")

    def read(self) -> bytearray:
        place = self.places[self.key]
        data = bytearray(place.size)
        with self.path.open("rb") as file:
            file.seek(place.start)
            if file.readinto(data) != place.size:
                raise EOFError("it ends early")
        if place.checksum and zlib.crc32(data) != place.checksum:
            raise ValueError("a checksum is another")
        return data

    def damaged(self, error: Exception) -> AssetCorrupt:
        return AssetCorrupt(
            f"{self.path} is damaged ({error})", hint="Download the original file again."
        )


def _archive(path: Path) -> Any:
    """Of today's form: a zip file with the tree in data.pkl and storages beside it."""
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        entries = {each.filename.partition("/")[2]: each for each in archive.infolist()}
        tree = entries["data.pkl"]
        if tree.file_size > MOST_PICKLED:
            raise zipfile.BadZipFile("its data.pkl is too large")
        if any(each.compress_type != zipfile.ZIP_STORED for each in entries.values()):
            raise zipfile.BadZipFile("it is compressed")
        pickled = io.BytesIO(archive.read(tree))
        limit = os.fstat(file.fileno()).st_size
        places = {
            name.removeprefix("data/"): _place(file, entry, limit)
            for name, entry in entries.items()
            if name.startswith("data/")
        }
    reader = _Tree(pickled, path, places)
    content = reader.load()
    reader.check()
    return content


def _place(file: BinaryIO, entry: zipfile.ZipInfo, limit: int) -> _Place:
    """Past the entry's own header, whose last two words say how long it is."""
    file.seek(entry.header_offset + _ENTRY_HEADER.size - 4)
    name, extra = struct.unpack("<HH", file.read(4))
    place = _Place(file.tell() + name + extra, entry.file_size, entry.CRC)
    if place.start + place.size > limit:
        raise EOFError("it is cut short")
    return place


def _row_of_pickles(path: Path, file: BinaryIO) -> Any:
    """Of the old form: a magic number, the tree, the keys of its storages, then these in a row."""
    limit = os.fstat(file.fileno()).st_size
    places: dict[str, _Place] = {}
    first = _Tree(file, path, {}).load()
    if first != _MAGIC:
        raise AssetCorrupt(f"{path} is {kind_of(first)}", hint="Choose the right file.")
    for _word in ("version", "system"):
        _Tree(file, path, {}).load()
    reader = _Tree(file, path, places)
    content = reader.load()
    for key in _Tree(file, path, {}).load():
        count = int.from_bytes(file.read(_COUNT_BYTES), "little")
        size = count * reader.storages[key].dtype.itemsize
        places[key] = _Place(file.tell(), size, checksum=0)
        if file.tell() + size > limit:
            raise EOFError("it is cut short")
        file.seek(size, os.SEEK_CUR)
    reader.check()
    return content


# The one in Python: ten bytes that name a value by a high number make the one in C take all memory.
class _Tree(pickle._Unpickler):
    """Reads one pickle; its storages lie at `places`, which may be filled in later."""

    def __init__(self, file: BinaryIO, path: Path, places: dict[str, _Place]) -> None:
        super().__init__(file, encoding="latin1")
        self._path, self._places = path, places
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _BUILDERS:
            return _Builder(_BUILDERS[full])
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        return type(name, (Foreign,), {})

    def persistent_load(self, pid: Any) -> _Storage:
        _storage, dtype, key, _device, count, *_view = pid
        if not isinstance(dtype, torch.dtype) or type(count) is not int or count < 0:
            raise pickle.UnpicklingError(f"it holds numbers of type {dtype}")
        storage = _Storage(self._path, dtype, str(key), count, self._places)
        return self.storages.setdefault(storage.key, storage)

    def check(self) -> None:
        """Raises UnpicklingError unless every storage lies somewhere and is as large as it says."""
        for key, storage in self.storages.items():
            if key not in self._places:
                raise pickle.UnpicklingError("it lacks numbers")
            if self._places[key].size != storage.count * storage.dtype.itemsize:
                raise pickle.UnpicklingError("a storage has another size than it says")


class _Builder:
    """What a pickle gets to call. It has no state that a pickle could change for the next one."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build

    def __call__(self, *args: Any) -> Any:
        return self._build(*args)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes what it was given to call")


class _Ordered(dict[Any, Any]):
    """For `OrderedDict`, whose state (torch's notes on versions) is of no use."""

    def __setstate__(self, state: Any) -> None:
        pass


def _rebuilt(storage: Any, offset: Any, size: Any, stride: Any, *_more: Any) -> Stored:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor has no numbers")
    return Stored(storage, offset, size, stride)


def _parameter(tensor: Any, *_more: Any) -> Any:
    return tensor


_BUILDERS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _Ordered,
    "torch._utils._rebuild_tensor": _rebuilt,
    "torch._utils._rebuild_tensor_v2": _rebuilt,
    "torch._utils._rebuild_parameter": _parameter,
}


def _by_its_bytes(path: Path) -> str | None:
    """What a file that could not be read is, by how it begins."""
    try:
        with path.open("rb") as file:
            start = file.read(512)
            entries = zipfile.ZipFile(file).namelist() if zipfile.is_zipfile(file) else []
    except _DAMAGE:
        return "a damaged archive"
    if not start:
        return "empty"
    if start.lstrip()[:1] == b"<":
        return "a web page, which is what some sites send in place of a file"
    if entries and all(each.endswith(".npy") for each in entries):
        return "an .npz file of arrays, such as body models are"
    if entries and "data.pkl" not in {each.partition("/")[2] for each in entries}:
        return "an archive of other files; unpack it"
    if start[8:10] == b'{"':
        return "a safetensors file, as our own weights are"
    if start.startswith(b"PK\x03\x04") and not entries:
        return "cut short"
    return None
