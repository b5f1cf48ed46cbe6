"""Checks that turn what a file or caller gave into the array that a record promises."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import StripMocapError

DType = type[np.float32] | type[np.float64] | type[np.int32] | type[np.int64] | type[np.uint8]


def checked(
    name: str,
    value: object,
    shape: tuple[int | None, ...],
    *,
    dtype: DType = np.float32,
    error: type[StripMocapError] = StripMocapError,
) -> np.ndarray:
    """`value` as a read-only, finite array of `dtype` and `shape`, where None is any length.

    Raises:
        error: naming `name`, if the shape differs or a number is not finite.
    """
    given: np.ndarray[Any, Any] = np.asarray(value)
    fits = given.ndim == len(shape) and all(
        want is None or got == want for got, want in zip(given.shape, shape, strict=True)
    )
    if not fits:  # before the copy, which may be eight times as large
        wanted = ", ".join("*" if want is None else str(want) for want in shape)
        raise error(f"{name} has shape {given.shape}, not ({wanted})")
    array: np.ndarray[Any, Any] = np.array(given, dtype=dtype)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise error(f"{name} has numbers that are not finite")
    array.setflags(write=False)
    return array
