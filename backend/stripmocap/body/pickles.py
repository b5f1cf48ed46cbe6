"""The pickles in which the SMPL family is given away, read without running anything in them.

The unpickler knows numpy arrays and nothing else: they are rebuilt by our own code from shape, type
and bytes, other classes are refused unless a caller names them as inert records, and no function of
the file's choice is ever called. What its arrays take is counted, because a pickle can ask for the
same bytes a million times.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.errors import AssetCorrupt, AssetMissing

MOST_BYTES = 2**30  # of a file; the largest official one has a quarter of it
MOST_BUILT = 16  # times the file's size that its arrays may take
SMALL_BUILT = 2**26  # bytes that arrays of any file may take
_NUMBER_KINDS = "biuf"
_FORTRAN_ORDERS = (True, 1, "F")


class Record:
    """A pickled object as plain data: its class's name and its state, never the class itself."""

    def __init__(self, *args: Any) -> None:
        self.state: Any = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


def read_pickle(path: Path, *, records: Collection[str] = ()) -> Any:
    """What a pickle of plain values and numpy arrays holds, at most those.

    Args:
        path: a pickle of Python 2 or 3.
        records: full names of classes ("module.Class") to be read as `Record`.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is no pickle, is cut short, too large, or asks for anything else to be
            built or run.
    """
    if not path.is_file():
        raise AssetMissing(f"{path} is not there", hint="Choose the file again.")
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise pickle.UnpicklingError(f"it has {size} bytes")
        data = path.read_bytes()
        return _plain(_ArraysOnly(data, frozenset(records)).load(), {})
    except (
        pickle.UnpicklingError, EOFError, OSError, ImportError, AttributeError, LookupError,
        TypeError, ValueError, ArithmeticError, MemoryError, RecursionError,
    ) as error:  # fmt: skip
        raise AssetCorrupt(
            f"{path} is not a file of plain arrays ({error})",
            hint="Download the original file again, from its own page.",
        ) from error


# The one in Python: ten bytes that name a value by a high number make the one in C take all memory.
class _ArraysOnly(pickle._Unpickler):
    def __init__(self, data: bytes, records: frozenset[str]) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._records = records
        self._left = max(SMALL_BUILT, MOST_BUILT * len(data))

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if full in self._records or full in _OBJECT_NAMES:
            return type(name, (Record,), {})
        if full not in _BUILDERS:
            raise pickle.UnpicklingError(f"it asks for {full}")
        return _Builder(full, self._spend)

    def _spend(self, size: int) -> None:
        """Takes note that so many bytes are about to be made."""
        self._left -= size
        if self._left < 0:
            raise pickle.UnpicklingError("it makes far more of its bytes than there are")


class _Builder:
    """What a pickle gets to call. It has no state that a pickle could change for the next one."""

    __slots__ = ("_name", "_spend")

    def __init__(self, name: str, spend: Callable[[int], None]) -> None:
        self._name, self._spend = name, spend

    def __call__(self, *args: Any) -> Any:
        for each in args:
            if isinstance(each, str | bytes | bytearray | list | dict):
                self._spend(len(each))
        made = _BUILDERS[self._name](*args)
        if isinstance(made, _Array):
            made.spend = self._spend
        return made

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError(f"it changes {self._name}")


class _Dtype:
    """Stands for `numpy.dtype` while its pickled state arrives."""

    def __init__(self, code: Any, *_flags: Any) -> None:
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in _NUMBER_KINDS:
            raise pickle.UnpicklingError(f"it holds values of type {code}")

    def __setstate__(self, state: Any) -> None:
        self.dtype = np.dtype(f"{state[1]}{self.dtype.str[1:]}")


class _Array:
    """Stands for `numpy.ndarray` while its pickled state arrives."""

    array: np.ndarray | None = None
    spend: Callable[[int], None] | None = None

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, fortran, data = state
        assert self.spend is not None
        self.spend(len(data))
        self.array = _array(data, dtype, shape, fortran)


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    # Python 2's byte strings arrive as text: one character a byte.
    raw = data.encode("latin1") if isinstance(data, str) else data
    if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes | bytearray):
        raise pickle.UnpicklingError("an array has no type or no bytes")
    flat = np.frombuffer(raw, dtype.dtype)
    array = flat.reshape(shape, order="F" if order in _FORTRAN_ORDERS else "C")
    return array.astype(dtype.dtype.newbyteorder("="))


def _start_array(*_kind_shape_code: Any) -> _Array:
    return _Array()


def _scalar(dtype: Any, data: Any) -> Any:
    return _array(data, dtype, (), "C")[()]


def _start_record(kind: Any, *_base_and_state: Any) -> Record:
    if not (isinstance(kind, type) and issubclass(kind, Record)):
        raise pickle.UnpicklingError(f"it asks for {kind}")
    return kind()


def _text_to_bytes(text: Any, encoding: Any) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it holds bytes as {encoding}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    return b""  # Python 3 writes empty bytes for Python 2 as a call without arguments


_OBJECT_NAMES = ("__builtin__.object", "builtins.object")
_BUILDERS = {
    "__builtin__.bytes": _no_bytes,
    "__builtin__.set": set,
    "builtins.set": set,
    "collections.OrderedDict": dict,
    "numpy.ndarray": _start_array,
    "numpy.dtype": _Dtype,
    "numpy.core.multiarray._reconstruct": _start_array,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _array,
    "_codecs.encode": _text_to_bytes,
    "copy_reg._reconstructor": _start_record,
    "copyreg._reconstructor": _start_record,
}


def _plain(value: Any, done: dict[int, Any]) -> Any:
    """The value with every stand-in replaced by its array, all the way down.

    `done` holds what was replaced, by identity: a pickle may name one list a million times.
    """
    if id(value) in done:
        return done[id(value)][1]
    match value:
        case _Array():
            result = value.array
        case _Dtype():
            result = value.dtype
        case dict():
            result = {key: _plain(each, done) for key, each in value.items()}
        case list() | tuple():
            result = type(value)(_plain(each, done) for each in value)
        case Record():
            result, value.state = value, _plain(value.state, done)
        case _:
            return value
    done[id(value)] = value, result  # the value too, so that its identity stays taken
    return result
