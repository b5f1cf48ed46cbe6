"""The timer that ties the session to Blender: news in, results imported, the selection looked at.

Each beat does a little and comes back: Blender draws and handles events in between. What a beat
costs is kept in `spent`, so that it can be measured in a real window.
"""

from __future__ import annotations

import logging
import time
from collections import deque

import bpy
from bpy.app.handlers import persistent

from ..contract import errors
from ..remote import errands
from ..scene import selection, strips
from . import arrival, focus, notes, preferences, redraw, session, update
from .slices import SLICE_S, SOON_S

EVERY_S = 0.25
LOOK_AGAIN_S = 2.0  # at a selection that seems the same: a file may have come or gone
_SHOWN_IN = {"SEQUENCE_EDITOR": "UI", "PREFERENCES": "WINDOW"}  # areas and their regions

spent: deque[tuple[str, float]] = deque(maxlen=4000)  # seconds of each beat, and what it did
log = logging.getLogger(__name__)


def beat() -> float:
    """One turn; the seconds until the next."""
    began = time.perf_counter()
    live = session.current()
    did = "beat"
    try:
        did = _turn(live, bpy.context)
    except Exception:  # a timer that raises is never called again, and the panel would stand still
        log.exception("Strip Mocap's timer")
        live.fail_inside()
    spent.append((did, time.perf_counter() - began))
    return EVERY_S if live.importing is None else SOON_S


def interrupted() -> None:
    """Offers the import that was under way again: what was made of it is gone."""
    live = session.current()
    if live.importing is not None:
        live.remarks[live.importing.arrived.job_id] = "The import was interrupted"
        live.importing, live.dirty = None, True


def register() -> None:
    """Starts the timer, unless Blender has no windows, and hears of files that are loaded."""
    for handlers, handler in _HANDLERS:
        handlers.append(handler)
    if not bpy.app.background:
        bpy.app.timers.register(beat, first_interval=EVERY_S, persistent=True)


def unregister() -> None:
    """Stops both; harmless when they are stopped already."""
    if bpy.app.timers.is_registered(beat):
        bpy.app.timers.unregister(beat)
    for handlers, handler in _HANDLERS:
        while handler in handlers:
            handlers.remove(handler)


def _turn(live: session.Session, context: bpy.types.Context) -> str:
    """Everything a beat may do; in a word, what it did."""
    if live.importing is not None and live.importing.title:
        return _end_import(live)
    if live.preferences_stale:
        _look_for_service(live, context)
    live.hear(auto_import=preferences.of(context).auto_import)
    _open_logs(live)
    did = _import_some(live, context)
    if live.importing is None:
        _look_at_selection(live, context)
    if live.dirty:
        live.dirty = False
        redraw.regions(context, _SHOWN_IN)
    return did


def _look_for_service(live: session.Session, context: bpy.types.Context) -> None:
    """Finds a service that runs already; starts none, unless the file waits for a capture."""
    live.preferences_stale = False
    live.bodies = preferences.bodies_folder(context)
    try:
        live.connect(preferences.backend_of(context), start=arrival.awaited())
    except errors.StripMocapError as error:
        live.connect(None, start=False)
        live.fail(error)


def _import_some(live: session.Session, context: bpy.types.Context) -> str:
    """Some steps of an import that is under way, or the first of the next; in a word, what."""
    if live.importing is None:
        return _begin_import(live, context)
    under_way = live.importing
    until = time.perf_counter() + SLICE_S
    try:
        while time.perf_counter() < until:
            next(under_way.steps)
    except StopIteration as end:
        under_way.title = f"Import {end.value.collection.name}"
    except errors.StripMocapError as error:
        live.importing, live.remarks[under_way.arrived.job_id] = None, session.sentence(error)
    except ReferenceError:  # what was made until now is gone: undone, deleted, another file
        interrupted()
    except Exception as error:  # a generator that has raised is dead: it is not asked again
        live.importing, live.dirty = None, True
        live.remarks[under_way.arrived.job_id] = (
            f"Internal error ({type(error).__name__}: {error}), see the console"
        )
        raise
    return "import"


def _begin_import(live: session.Session, context: bpy.types.Context) -> str:
    """Begins the first import that need not wait; the others stay where they are."""
    for place, arrived in enumerate(live.ready):
        by_hand = arrived.job_id in live.by_hand
        waits = arrival.waits_for(context, by_hand=by_hand)
        if not waits:
            del live.ready[place]
            return _begin(live, arrived, context=context, by_hand=by_hand)
        if live.remarks.get(arrived.job_id) != waits:
            live.remarks[arrived.job_id], live.dirty = waits, True
    return "beat"


def _begin(
    live: session.Session, arrived: errands.Arrived, *, context: bpy.types.Context, by_hand: bool
) -> str:
    live.by_hand.discard(arrived.job_id)
    live.remarks.pop(arrived.job_id, None)  # what it waited for
    reason = "" if by_hand else _kept_back(live, arrived)
    if reason:
        live.remarks[arrived.job_id] = reason
        live.dirty = True
        return "kept back"
    steps = arrival.bringing_in(live, arrived, context=context)
    live.importing = session.Import(arrived, steps)
    return "import"


def _end_import(live: session.Session) -> str:
    """Makes what was imported one step of undo, in a turn of its own: it takes its time."""
    under_way, live.importing = live.importing, None
    assert under_way is not None, "asked"
    bpy.ops.ed.undo_push(message=under_way.title)
    under_way.arrived.path.unlink(missing_ok=True)
    live.dirty = True
    return "undo push"


def _kept_back(live: session.Session, arrived: errands.Arrived) -> str:
    """Why a result is only offered; empty if it is to be imported by itself."""
    if arrived.job_id in notes.imported():
        return "It is in this file already"
    job = live.ledger.jobs.get(arrived.job_id)
    if arrival.strip_of((job.key if job is not None else None) or "") is None:
        return "Its strip is not in this file"
    return ""


def _look_at_selection(live: session.Session, context: bpy.types.Context) -> None:
    # Files are looked at for this, so it is done when the selection is another, or now and then.
    if context.window is None or not _is_shown(context):
        return
    now, seen = time.monotonic(), selection.state(context)
    if seen == live.selection and now < live.look_again_s:
        return
    live.selection, live.look_again_s = seen, now + LOOK_AGAIN_S
    shots = tuple(strips.shots(context))
    edits = {each.strip: update.edits_of(each) for each in shots}
    if (shots, edits) != (live.shots, live.edits):
        live.shots, live.edits, live.dirty = shots, edits, True
    focus.look(live, context)


def _is_shown(context: bpy.types.Context) -> bool:
    windows = context.window_manager.windows
    return any(area.type == "SEQUENCE_EDITOR" for each in windows for area in each.screen.areas)


def _open_logs(live: session.Session) -> None:
    while live.logs:
        read = live.logs.popleft()
        job = live.ledger.jobs.get(read.job_id)
        text = bpy.data.texts.new(f"Log of {job.name if job is not None else read.job_id}")
        text.write(read.text or "Nothing was written.")
        live.notice = f"The log is in the text {text.name}: open a Text Editor to read it."


@persistent
def _loaded(*_: object) -> None:
    live = session.current()
    live.shots, live.remarks, live.selection, live.view = (), {}, None, None
    live.notice = ""  # of a text in the file before
    live.preferences_stale = True  # the new file may wait for captures


@persistent
def _leaving(*_: object) -> None:
    interrupted()


_HANDLERS = (
    (bpy.app.handlers.load_post, _loaded),
    (bpy.app.handlers.load_pre, _leaving),
    (bpy.app.handlers.undo_pre, _leaving),
    (bpy.app.handlers.redo_pre, _leaving),
)
