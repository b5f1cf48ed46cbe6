"""Who is who in a strip: finding people, and the artist's corrections of what was found.

Corrections are kept on the strip; each of these operators is one step of undo.
"""

# Blender reads properties from annotations, so these must not be postponed into strings.

from typing import Any, ClassVar

import bpy
from bpy.props import IntProperty

from ..contract import errors
from ..scene import compat, corrections, strips
from . import capture, casts, focus, reporting, rows, session
from .casts import Corrections, View

NOBODY = -1


class STRIPMOCAP_OT_find_people(bpy.types.Operator):
    """Makes a job of each selected strip that only looks for people."""

    bl_idname = "stripmocap.find_people"
    bl_label = "Find People"
    bl_description = (
        "Look who is in the selected strips, without making bodies, so that you can say who is "
        "who before the capture. It runs in the background; the capture does not look again"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Strips with footage are selected, and there is somewhere to send them."""
        reason = capture.why_not_sent(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Gives the jobs to the watcher."""
        shots = [each for each in strips.shots(context) if not each.problem]
        try:
            capture.search(context, shots)
        except errors.StripMocapError as error:
            return reporting.failed(self, error)
        if not shots:
            return {"CANCELLED"}
        reporting.done(self, f"Looking for people in {', '.join(each.strip for each in shots)}")
        return {"FINISHED"}


class _OnPeople:
    """What the operators on the people of a strip have in common."""

    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}
    takes: ClassVar[tuple[int, int]] = (0, 1000)  # people that must be selected, and may be

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """People were found and as many are selected as it takes."""
        reason = why_not(context, takes=cls.takes)
        if reason:
            _say_why(cls, reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Writes the corrections to the strip and shows what they make."""
        live = session.current()
        view = live.view
        strip = focus.strip_in_focus(live)
        if view is None or strip is None:
            return {"CANCELLED"}
        try:
            made = self.correct(context, view)
        except errors.StripMocapError as error:
            return reporting.failed(self, error)
        corrections.write(strip, made)
        live.selection = None  # the shots have other corrections now
        focus.look(live, context)
        return {"FINISHED"}

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """The strip's corrections as they are to be.

        Raises:
            StripMocapError: they cannot be.
        """
        raise NotImplementedError


class _OnOne(_OnPeople):
    """What is about the selected people, or about the one whose row has the button."""

    person: IntProperty(  # type: ignore[valid-type]
        default=NOBODY, options={"HIDDEN", "SKIP_SAVE"}
    )

    def numbers(self, context: bpy.types.Context) -> list[int]:
        """Numbers of those that are meant.

        Raises:
            RequestError: nobody is.
        """
        numbers = [self.person] if self.person != NOBODY else rows.selected(context)
        if not numbers:
            raise errors.RequestError("nobody is selected", hint="Click somebody in the list.")
        return numbers


class STRIPMOCAP_OT_keep_people(_OnOne, bpy.types.Operator):
    """Keeps people."""

    bl_idname = "stripmocap.keep_people"
    bl_label = "Keep"
    bl_description = "Capture the selected people after all"

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """See `casts.kept`."""
        return casts.kept(view, self.numbers(context))


class STRIPMOCAP_OT_keep_only(_OnOne, bpy.types.Operator):
    """Keeps these people and nobody else."""

    bl_idname = "stripmocap.keep_only"
    bl_label = "Keep Only"
    bl_description = "Capture the selected people and nobody else"

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """See `casts.kept_only`."""
        return casts.kept_only(view, self.numbers(context))


class STRIPMOCAP_OT_ignore_people(_OnOne, bpy.types.Operator):
    """Leaves people out."""

    bl_idname = "stripmocap.ignore_people"
    bl_label = "Ignore"
    bl_description = "Do not capture the selected people"

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """See `casts.ignored`."""
        return casts.ignored(view, self.numbers(context))


class STRIPMOCAP_OT_merge_people(_OnPeople, bpy.types.Operator):
    """Makes one person of two."""

    bl_idname = "stripmocap.merge_people"
    bl_label = "Merge"
    bl_description = (
        "The selected two are one person, who was lost and found again. The number and colour are "
        "those of the one that was clicked last"
    )
    takes: ClassVar[tuple[int, int]] = (2, 2)

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """See `casts.merged`."""
        who, other = rows.selected(context)
        return casts.merged(view, who, other)


class STRIPMOCAP_OT_split_person(_OnPeople, bpy.types.Operator):
    """Makes two people of one."""

    bl_idname = "stripmocap.split_person"
    bl_label = "Split at Playhead"
    bl_description = "From the playhead on, the selected person is somebody else"
    takes: ClassVar[tuple[int, int]] = (1, 1)

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """See `casts.split`."""
        (who,) = rows.selected(context)
        return casts.split(view, who, from_s=_cut_s(context, view))


class STRIPMOCAP_OT_swap_people(_OnPeople, bpy.types.Operator):
    """Swaps two people."""

    bl_idname = "stripmocap.swap_people"
    bl_label = "Swap from Playhead"
    bl_description = (
        "From the playhead on, each of the selected two is the other: they were taken for each "
        "other when they crossed"
    )
    takes: ClassVar[tuple[int, int]] = (2, 2)

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """See `casts.swapped`."""
        who, other = rows.selected(context)
        return casts.swapped(view, who, other, from_s=_cut_s(context, view))


class STRIPMOCAP_OT_undo_correction(_OnPeople, bpy.types.Operator):
    """Takes the last correction back."""

    bl_idname = "stripmocap.undo_correction"
    bl_label = "Take Back"
    bl_description = "Take back the last correction of this strip's people"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There are corrections."""
        return _is_corrected(cls)

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """All but the last."""
        return view.corrections[:-1]


class STRIPMOCAP_OT_clear_corrections(_OnPeople, bpy.types.Operator):
    """Takes all corrections back."""

    bl_idname = "stripmocap.clear_corrections"
    bl_label = "Clear"
    bl_description = "Take back all corrections: people are as they were found"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There are corrections."""
        return _is_corrected(cls)

    def correct(self, context: bpy.types.Context, view: View) -> Corrections:
        """None."""
        return ()


CLASSES = (
    STRIPMOCAP_OT_find_people,
    STRIPMOCAP_OT_keep_people,
    STRIPMOCAP_OT_keep_only,
    STRIPMOCAP_OT_ignore_people,
    STRIPMOCAP_OT_merge_people,
    STRIPMOCAP_OT_split_person,
    STRIPMOCAP_OT_swap_people,
    STRIPMOCAP_OT_undo_correction,
    STRIPMOCAP_OT_clear_corrections,
)


def why_not(context: bpy.types.Context, *, takes: tuple[int, int]) -> str:
    """What keeps people from being corrected, as a sentence; empty for nothing."""
    view = session.current().view
    if view is None:
        return "Find the people of a strip first"
    if view.problem:
        return "Take back the correction that cannot be made first"
    if takes[0] <= len(rows.selected(context)) <= takes[1]:
        return ""
    if takes[0] == 2:
        return "Select two people: click one in the list and tick the other"
    return "Select one person in the list"


def _is_corrected(operator: type) -> bool:
    view = session.current().view
    if view is not None and view.corrections:
        return True
    _say_why(operator, "Nothing is corrected")
    return False


def _say_why(operator: Any, reason: str) -> None:
    operator.poll_message_set(reason)


def _cut_s(context: bpy.types.Context, view: View) -> float:
    """Second of the file from which on something is corrected at the playhead.

    Raises:
        RequestError: the strip is not at the playhead.
    """
    shot, scene = focus.shot_in_focus(session.current()), compat.sequencer_scene(context)
    assert shot is not None, "there is a view of it"
    assert shot.timing is not None, "asked"
    frame = shot.first_frame - 1
    if scene is not None and scene.name == shot.scene:  # another's playhead is in other time
        frame = scene.frame_current
    if not shot.first_frame <= frame <= shot.last_frame:
        raise errors.RequestError(
            f"the playhead is not on {shot.strip}", hint="Move it to where people change."
        )
    time_s = float(shot.timing.times_s(frame))
    return casts.first_after_cut(view, time_s, is_reversed=shot.timing.rate < 0)
