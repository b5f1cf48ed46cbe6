"""Mixes that follow the amounts of their rigs: short shots' at once, long ones' a little later.

While a slider of a long shot is dragged, only the pose on screen follows. Once it rests, the mix is
written in slices. Saving writes what is due, and rendering waits for it; undo and loading a file
break it off, and what is due in what they bring back is begun anew.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import fields
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..scene import mixes, steps
from . import redraw, session, slices

AMOUNTS = tuple(each.name for each in fields(mixes.Amounts))  # the whole first
AT_ONCE = 600  # keys of a curve up to which a mix is written at once
STUCK_S = 3.0  # without a step of the main thread, after which a render waits no longer
_SHOWN_IN = {"VIEW_3D": "UI", "SEQUENCE_EDITOR": "UI"}  # areas and their regions

log = logging.getLogger(__name__)


def mix(rig: bpy.types.Object) -> None:
    """Mixes the takes of a rig by its amounts, now or soon."""
    if not may_wait() or mixes.length(rig) <= AT_ONCE:
        session.current().mixing.drop(rig)
        steps.run(_mixing(rig, shown=None))
        return
    mixes.announce(rig)
    mixes.preview(rig, *_wanted(rig), frame=_shown())
    _put(rig)


def finish() -> None:
    """Writes every mix that is due, at once; what fails is told in the panel."""
    live = session.current()
    while live.mixing.is_busy():
        try:
            live.mixing.finish()
            _gather()
        except Exception:  # saving, and the mixes of others, go on
            _tell(live)


def may_wait() -> bool:
    """Whether this Blender comes back to what is left for later: without windows it does not."""
    return not bpy.app.background


def turn() -> float | None:
    """A slice of what is due; the seconds until the next, None if there is nothing left."""
    live = session.current()
    try:
        wait_s = live.mixing.turn()
    except Exception:  # a timer that raises is never called again
        _tell(live)
        return slices.SOON_S
    if wait_s is not None:
        return wait_s
    redraw.regions(bpy.context, _SHOWN_IN)
    _gather()
    return slices.SOON_S if live.mixing.is_busy() else None


def register() -> None:
    """Hears of what must find mixes whole, and of what takes them away."""
    for handlers, handler in _HANDLERS:
        handlers.append(handler)


def unregister() -> None:
    """Ends that, and writes what is due; harmless when it has ended already."""
    finish()
    if bpy.app.timers.is_registered(turn):
        bpy.app.timers.unregister(turn)
    for handlers, handler in _HANDLERS:
        while handler in handlers:
            handlers.remove(handler)


def _gather() -> None:
    """Has mixes written that are due and not under way.

    Their marks come back with undo and with files, and are copied with their rigs.
    """
    works = session.current().mixing
    for each in bpy.data.objects:
        if mixes.is_due(each) and each.library is None and not works.has(each):
            _put(each)


def _put(rig: bpy.types.Object) -> None:
    session.current().mixing.put(rig, lambda each: _mixing(each, shown=_shown()))
    if may_wait() and not bpy.app.timers.is_registered(turn):
        bpy.app.timers.register(turn, persistent=True)


def _mixing(rig: bpy.types.Object, *, shown: float | None) -> steps.Steps[None]:
    try:
        made = yield from mixes.making(rig, *_wanted(rig), shown=shown)
    except Exception:
        mixes.renounce(rig)  # or it would fail again and again
        raise
    if made is not None and made.kept:
        rig.stripmocap_refine.kept = made.kept


def _wanted(rig: bpy.types.Object) -> tuple[mixes.Amounts, list[mixes.Span]]:
    kept = rig.stripmocap_refine
    spans = [
        mixes.Span(each.start_s, each.stop_s, each.fade_s, _amounts(each)) for each in kept.spans
    ]
    return _amounts(kept.everywhere), spans


def _amounts(row: Any) -> mixes.Amounts:
    return mixes.Amounts(**{name: getattr(row, name) for name in AMOUNTS})


def _shown() -> float:
    return bpy.context.scene.frame_current_final


def _tell(live: session.Session) -> None:
    """Tells of the exception that is being handled."""
    log.exception("Strip Mocap's mixes")
    live.fail_inside()


@persistent
def _whole(*_: object) -> None:
    finish()


@persistent
def _rendering(*_: object) -> None:
    # A window's render has a thread of its own, and datablocks are the main thread's to write.
    if threading.current_thread() is threading.main_thread():
        finish()
    else:
        _wait(session.current().mixing)


def _wait(works: slices.Slices) -> None:
    """Lets the main thread take its turns until all is done, or it takes none any more."""
    done, until = works.done, time.monotonic() + STUCK_S
    while works.is_busy() and time.monotonic() < until:
        time.sleep(slices.SOON_S)
        if works.done != done:
            done, until = works.done, time.monotonic() + STUCK_S


@persistent
def _leaving(*_: object) -> None:
    session.current().mixing.forget()


@persistent
def _back(*_: object) -> None:
    _gather()


_HANDLERS = (
    (bpy.app.handlers.save_pre, _whole),
    (bpy.app.handlers.render_init, _rendering),
    (bpy.app.handlers.load_pre, _leaving),
    (bpy.app.handlers.undo_pre, _leaving),
    (bpy.app.handlers.redo_pre, _leaving),
    (bpy.app.handlers.load_post, _back),
    (bpy.app.handlers.load_post_fail, _back),
    (bpy.app.handlers.undo_post, _back),
    (bpy.app.handlers.redo_post, _back),
)
