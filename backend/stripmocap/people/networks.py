"""Networks in LiteRT's files, and how their work is shared among threads.

What a network says does not depend on the number of its threads, to the last bit: they share out
the places of a picture, and what is added up for one place is added up by one of them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from .network_files import trimmed

Raw = dict[int, np.ndarray]  # outputs without their batch dimension, by their last one's length


class Network:
    """A network with one input, whose outputs are told apart by their last dimension.

    For one thread at a time.
    """

    def __init__(self, content: bytes, *, threads: int) -> None:
        """The network of a file's `content`, which keeps so many `threads` busy."""
        with _without_chatter():
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = self._interpreter.get_output_details()

    def run(self, picture: np.ndarray) -> Raw:
        """What the network says of `picture` (S, S, 3) float32."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return {
            int(each["shape"][-1]): self._interpreter.get_tensor(each["index"])[0]
            for each in self._outputs
        }


class Pair:
    """A network that looks at two pictures at once, each in threads of its own.

    Threads that share one picture wait for one another at every layer; two pictures beside each
    other take four fifths of the time that they take one after the other.
    """

    def __init__(self, content: bytes, *, threads: int) -> None:
        """The network of a file's `content`, which keeps so many `threads` busy."""
        self._first = Network(content, threads=max(threads // 2, 1))
        self._second = self._first
        self._beside: ThreadPoolExecutor | None = None
        if threads > 1:
            self._second = Network(content, threads=threads // 2)
            self._beside = ThreadPoolExecutor(1, thread_name_prefix="second look")

    def run(self, first: np.ndarray, second: np.ndarray) -> tuple[Raw, Raw]:
        """What the network says of each picture (S, S, 3) float32."""
        if self._beside is None:
            return self._first.run(first), self._second.run(second)
        answer = self._beside.submit(self._second.run, second)
        try:
            found = self._first.run(first)
        finally:
            said = answer.result()  # also after an error: nobody runs on behind our back
        return found, said


def content_of(file: Path) -> bytes:
    """The network in the .tflite `file`, without what only paints pictures."""
    return trimmed(file.read_bytes(), is_read=lambda shape: len(shape) < 4 or shape[-1] > 1)


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Keeps LiteRT's note about its CPU kernels, written past Python, out of a progress bar."""
    try:
        kept = os.dup(2)
    except OSError:  # a program without a console
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
