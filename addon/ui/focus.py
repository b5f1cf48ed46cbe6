"""The strip in focus: whose people the list and the preview show.

It is looked at when the selection or what is known of it has changed, never while drawing.
"""

from __future__ import annotations

import bpy

from ..scene import corrections, preview, selection
from ..scene.strips import Shot
from . import casts, rows, session

LOOKED_UP = 3  # jobs of a shot: a search of all of it may lie behind captures of parts


def of_selection(live: session.Session, context: bpy.types.Context) -> Shot | None:
    """The shot whose people are shown: the active strip's, or the first that is selected."""
    active = selection.active(context)
    name = active.name if active is not None else ""
    return next((each for each in live.shots if each.strip == name), next(iter(live.shots), None))


def look(live: session.Session, context: bpy.types.Context) -> None:
    """Takes in who was found in the shot in focus and how the strip corrects it, and shows it."""
    shot = of_selection(live, context)
    view = None
    if shot is not None:
        strip = selection.named(shot.scene, shot.strip)
        made = corrections.read(strip) if strip is not None else ()
        known = live.casts.of(shot.path, (shot.start_s, shot.stop_s))
        if not known:
            _look_up(live, shot)
        seen = (shot.strip, made, *(each.job_id for each in known))
        if known and live.view is not None and seen == live.viewed:
            return
        live.viewed = seen
        view = casts.best_view(shot.strip, known, made)
        live.is_overtaken = view is not None and casts.is_overtaken(view, known)
    if view is None and live.view is None:
        return
    live.view, live.dirty = view, True
    rows.show(context, view)
    preview.redraw(context)


def shot_in_focus(live: session.Session) -> Shot | None:
    """The shot whose people are shown, if it can be captured."""
    if live.view is None:
        return None
    found = (each for each in live.shots if each.strip == live.view.strip)
    return next((each for each in found if each.timing is not None), None)


def strip_in_focus(live: session.Session) -> bpy.types.Strip | None:
    """The strip of that shot."""
    shot = shot_in_focus(live)
    return None if shot is None else selection.named(shot.scene, shot.strip)


def _look_up(live: session.Session, shot: Shot) -> None:
    """Asks for who was found by the last jobs of a shot, after Blender was started anew."""
    done = [
        each
        for each in live.ledger.jobs.values()
        if each.state == "done" and _is_job_of(each.key or "", each.request, shot)
    ]
    for each in sorted(done, key=lambda each: -each.created_s)[:LOOKED_UP]:
        if each.id not in live.ledger.wanted:
            live.look_up_people(each.id, path=str(shot.path))


def _is_job_of(key: str, request: dict[str, object], shot: Shot) -> bool:
    if shot.id and key.rpartition(".")[0] == shot.id:
        return True
    clip = request.get("clip")
    return isinstance(clip, dict) and clip.get("path") == str(shot.path)
