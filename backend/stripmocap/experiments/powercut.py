"""What a disk may hold after a power cut: a program's writes, recorded, and cut off at any point.

The program runs under `powercut.c`, which writes down what it does to the files of one folder. Of
that, only this is certain to be on the disk: the content that a file had when it was last synced,
and the names that a folder had when it was. Of what came later anything may be there: nothing, all,
what came first, or any part, down to single sectors of a write. Linux only, with a C compiler.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SOURCE = Path(__file__).with_suffix(".c")
SECTOR = 512  # bytes that a disk writes whole or not at all
MARK = "mark"  # an event of the program's own: what it says has happened for good
_LIMIT_S = 300.0
_SHARED_MEMORY = "-shm"  # how SQLite's shared maps end; nobody relies on what is in one

Survival = Literal["synced", "all", "first", "some"]  # what is there of what was not synced
SURVIVALS: tuple[Survival, ...] = ("synced", "all", "first", "some")


@dataclass(frozen=True)
class Event:
    """One thing that the program did; `powercut.c` says which there are."""

    what: str
    inode: int
    number: int
    data: bytes


def build(folder: Path) -> Path | None:
    """The recorder, compiled into `folder`; None where that cannot be done."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    built = folder / "powercut.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(built), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=_LIMIT_S)
    return built if done.returncode == 0 else None


def record(command: Sequence[str], data: Path, *, marks: Path, recorder: Path) -> list[Event]:
    """What `command` did to the files in the folder `data`, and what it wrote to `marks`.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    data, marks = data.resolve(), marks.resolve()
    log = marks.with_name(f"{marks.name}.record")
    environment = {
        **os.environ,
        "LD_PRELOAD": str(recorder),
        "POWERCUT_FOLDER": str(data),
        "POWERCUT_LOG": str(log),
        "POWERCUT_MARKS": str(marks),
    }
    subprocess.run(command, env=environment, check=True, timeout=_LIMIT_S)
    return [_relative(each, data) for each in _parsed(log.read_bytes())]


def _parsed(log: bytes) -> Iterator[Event]:
    at = 0
    while at < len(log):
        end = log.index(b"\n", at)
        what, inode, number, length = log[at:end].split()
        at = end + 1 + int(length)
        yield Event(what.decode(), int(inode), int(number), log[end + 1 : at])


def _relative(event: Event, data: Path) -> Event:
    """The event with its paths as they are inside the folder."""
    root = os.fsencode(data) + b"/"
    if event.what in {"create", "folder", "remove"}:
        return Event(event.what, event.inode, event.number, event.data.removeprefix(root))
    if event.what in {"rename", "link"}:
        source, target = event.data[: event.number], event.data[event.number :]
        both = source.removeprefix(root) + b"\0" + target.removeprefix(root)
        return Event(event.what, event.inode, 0, both)
    return event


@dataclass(frozen=True)
class _Change:
    """What a file or folder went through since it was synced."""

    order: int  # among all changes
    offset: int = 0  # of a write
    data: bytes | None = None  # of a write
    size: int | None = None  # of a change of size
    drop: bytes | None = None  # a name that a folder lost
    name: bytes | None = None  # and one that it got
    node: _Node | None = None  # which is this


@dataclass
class _Node:
    """A file or folder: as it was synced, and what came after."""

    content: bytes = b""
    names: dict[bytes, _Node] | None = None  # of a folder
    changes: list[_Change] = field(default_factory=list)

    def content_with(self, changes: list[_Change]) -> bytes:
        content = bytearray(self.content)
        for each in changes:
            size = each.offset + len(each.data) if each.data is not None else each.size or 0
            content.extend(bytes(max(0, size - len(content))))
            if each.data is not None:
                content[each.offset : size] = each.data
            else:
                del content[size:]
        return bytes(content)

    def names_with(self, changes: list[_Change]) -> dict[bytes, _Node]:
        names = dict(self.names or {})
        for each in changes:
            if each.drop is not None:
                names.pop(each.drop, None)
            if each.name is not None and each.node is not None:
                names[each.name] = each.node
        return names

    def sync(self) -> None:
        if self.names is None:
            self.content = self.content_with(self.changes)
        else:
            self.names = self.names_with(self.changes)
        self.changes = []


class Disk:
    """A folder on a disk that may lose its power after each event.

    Args:
        before: the folder as it is before the first event; all of it is safe. None: it is empty.
    """

    def __init__(self, before: Path | None = None) -> None:
        self._open: dict[int, _Node] = {}  # by inode: a number is used again once its file is gone
        self._order = 0
        self._root = _Node(names={}) if before is None else self._found(before)

    def happen(self, event: Event) -> None:
        """Does what the event says."""
        self._order += 1
        match event.what:
            case "create":
                self._open[event.inode] = made = _Node()
                self._name(event.data, made)
            case "folder":
                self._open[event.inode] = made = _Node(names={})
                self._name(event.data, made)
            case "write":
                self._change(event, offset=event.number, data=event.data)
            case "size":
                self._change(event, size=event.number)
            case "sync":
                self._open.get(event.inode, self._root).sync()
            case "rename":
                self._rename(*event.data.split(b"\0"))
            case "link":
                source, target = event.data.split(b"\0")
                self._name(target, self._at(source))
            case "remove":
                folder, name = self._parent(event.data)
                folder.changes.append(_Change(self._order, drop=name))
            case _:
                assert event.what == MARK

    def survive(self, target: Path, survival: Survival, *, rng: random.Random) -> None:
        """Makes the folder `target`, with what the disk may hold if the power is cut now."""
        cut = rng.randint(0, self._order)

        def left(node: _Node) -> list[_Change]:
            match survival:
                case "synced":
                    return []
                case "all":
                    return node.changes
                case "first":
                    return [each for each in node.changes if each.order <= cut]
                case "some":
                    kept = [each for each in node.changes if rng.random() < 0.5]
                    return [part for each in kept for part in _torn(each, rng)]

        def make(node: _Node, path: Path) -> None:
            if node.names is None:
                path.write_bytes(node.content_with(left(node)))
                return
            path.mkdir()
            for name, inner in node.names_with(left(node)).items():
                if name.endswith(os.fsencode(_SHARED_MEMORY)):
                    (path / os.fsdecode(name)).write_bytes(rng.randbytes(32768))
                else:
                    make(inner, path / os.fsdecode(name))

        make(self._root, target)

    def _found(self, path: Path) -> _Node:
        if path.is_dir():
            names = {os.fsencode(each.name): self._found(each) for each in path.iterdir()}
            node = _Node(names=names)
        else:
            node = _Node(path.read_bytes())
        self._open[path.stat().st_ino] = node
        return node

    def _change(self, event: Event, *, offset: int = 0, **what: bytes | int) -> None:
        # Files that were opened before the record began are none of the folder's.
        node = self._open[event.inode]
        node.changes.append(_Change(self._order, offset, **what))  # pyright: ignore[reportArgumentType]

    def _rename(self, source: bytes, target: bytes) -> None:
        node = self._at(source)
        (old, old_name), (new, new_name) = self._parent(source), self._parent(target)
        if old is new:
            old.changes.append(_Change(self._order, drop=old_name, name=new_name, node=node))
            return
        # In two folders, either may be on the disk without the other.
        old.changes.append(_Change(self._order, drop=old_name))
        new.changes.append(_Change(self._order, name=new_name, node=node))

    def _name(self, path: bytes, node: _Node) -> None:
        folder, name = self._parent(path)
        folder.changes.append(_Change(self._order, name=name, node=node))

    def _at(self, path: bytes) -> _Node:
        node = self._root
        for name in path.split(b"/") if path else []:
            node = node.names_with(node.changes)[name]
        return node

    def _parent(self, path: bytes) -> tuple[_Node, bytes]:
        folder, _, name = path.rpartition(b"/")
        return self._at(folder), name


def _torn(change: _Change, rng: random.Random) -> list[_Change]:
    """The change, or some sectors of it."""
    if change.data is None or rng.random() < 0.5:
        return [change]
    parts: list[_Change] = []
    at = 0
    while at < len(change.data):
        length = SECTOR - (change.offset + at) % SECTOR
        if rng.random() < 0.5:
            part = change.data[at : at + length]
            parts.append(_Change(change.order, change.offset + at, part))
        at += length
    return parts
