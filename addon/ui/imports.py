"""The verbs of Strip Mocap: what its menu entries and buttons do."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import BoolProperty, FloatProperty, StringProperty

from ..contract import errors, motion
from ..scene import character, stamps, strips
from . import opening, preferences, reporting


class STRIPMOCAP_OT_import_capture(bpy.types.Operator):
    """Brings a capture into the scene."""

    bl_idname = "stripmocap.import_capture"
    bl_label = "Import Capture"
    bl_description = (
        "Bring the people of a capture into the scene: rigs, bodies, takes and the filming camera"
    )
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO", "PRESET"}

    # A path that was dropped or chosen must not come back with the next import.
    filepath: StringProperty(  # type: ignore[valid-type]
        name="File Path", subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE", "SKIP_PRESET"}
    )
    filter_glob: StringProperty(  # type: ignore[valid-type]
        default="*.npz", options={"HIDDEN"}
    )
    follow_strip: BoolProperty(  # type: ignore[valid-type]
        name="Follow Selected Strip",
        description="Play under the selected movie strip if it shows the clip that was captured",
        default=True,
    )
    start_frame: FloatProperty(  # type: ignore[valid-type]
        name="Start Frame",
        description="Scene frame where the captured span begins when no strip is followed",
        default=1.0,
        precision=2,
    )
    show_footage: BoolProperty(  # type: ignore[valid-type]
        name="Show Footage",
        description="Put the clip behind what the camera sees",
        default=True,
    )
    only_best: BoolProperty(  # type: ignore[valid-type]
        name="Only Best Take",
        description="Leave out the takes that were only the way to the best one; "
        "else all come in as actions, and the best one plays",
        default=False,
    )
    keep_shape: BoolProperty(  # type: ignore[valid-type]
        name="Keep Shape of AMASS",
        description="Take an AMASS file's shape as one of Strip Mocap's body, "
        "which is right for files that Strip Mocap exported",
        default=False,
    )
    footage: StringProperty(  # type: ignore[valid-type]
        name="Footage",
        description="The clip's file; empty to look for it where it was captured",
        subtype="FILE_PATH",
        options={"HIDDEN", "SKIP_SAVE", "SKIP_PRESET"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Not while sculpting or painting, where Blender's undo would not know of the import."""
        if context.mode in {"OBJECT", "POSE"} or context.mode.startswith("EDIT"):
            return True
        cls.poll_message_set("Leave sculpting or painting first, so that the import can be undone")
        return False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for a file, or for the options of a file that was dropped."""
        if self.filepath:
            return context.window_manager.invoke_props_dialog(self, confirm_text=self.bl_label)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Imports the file."""
        path = Path(bpy.path.abspath(self.filepath))
        try:
            opened = opening.open_file(
                path, folder=preferences.bodies_folder(context), keep_shape=self.keep_shape
            )
            capture = opened.capture
            if self.only_best and capture.takes:
                capture = replace(capture, takes=(capture.best,))
            follow = self.follow_strip and opened.is_ours
            placement = strips.place(
                context,
                clip_name=character.clip_name(capture) if follow else None,
                start_frame=self.start_frame,
                start_s=character.clip_start_s(capture),
            )
            shot = character.import_capture(
                capture, body=opened.body, scene=context.scene, timing=placement.timing
            )
        except errors.StripMocapError as error:
            return reporting.failed(self, error)
        strip = strips.chosen(context) if follow and not placement.warning else None
        strip_id = stamps.stamp(strip) if strip is not None else ""
        character.mark(shot, capture, job_id="", strip_id=strip_id)
        reporting.done(self, f"Imported {shot.collection.name}: {', '.join(shot.people)}")
        for warning in filter(None, (opened.remark, placement.warning, *capture.notes)):
            reporting.warn(self, warning)
        if self.show_footage and opened.is_ours:
            self._show_footage(shot, capture, scene=context.scene, beside=path.parent)
        return {"FINISHED"}

    def _show_footage(
        self,
        shot: character.Shot,
        capture: motion.Capture,
        *,
        scene: bpy.types.Scene,
        beside: Path,
    ) -> None:
        # The characters are in the scene by now, so what goes wrong here is told, not raised.
        try:
            footage = Path(bpy.path.abspath(self.footage)) if self.footage else None
            character.show_footage(shot, capture, scene=scene, footage=footage, beside=beside)
        except errors.StripMocapError as error:
            reporting.warn(self, f"{error.message}, so the camera has no footage")


class STRIPMOCAP_FH_capture(bpy.types.FileHandler):
    """Lets a capture be dropped into a window."""

    bl_idname = "STRIPMOCAP_FH_capture"
    bl_label = "Strip Mocap capture or AMASS"
    bl_import_operator = STRIPMOCAP_OT_import_capture.bl_idname
    bl_file_extensions = ".npz"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Takes drops on the 3D view, the sequencer and the outliner."""
        return context.area is not None and context.area.type in {
            "VIEW_3D",
            "SEQUENCE_EDITOR",
            "OUTLINER",
        }


CLASSES = (STRIPMOCAP_OT_import_capture, STRIPMOCAP_FH_capture)


def register() -> None:
    """Adds the import menu's entry."""
    bpy.types.TOPBAR_MT_file_import.append(_draw_import)


def unregister() -> None:
    """Removes it; harmless when it is gone already."""
    bpy.types.TOPBAR_MT_file_import.remove(_draw_import)


def _draw_import(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator(
        STRIPMOCAP_OT_import_capture.bl_idname, text="Strip Mocap capture or AMASS (.npz)"
    )
