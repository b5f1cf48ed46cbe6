"""Bodies of the user's own: of an official SMPL file a body file is made, for Blender to show."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from pathlib import Path
from typing import ClassVar

import bpy
from bpy.props import StringProperty

from ..remote import errands
from . import preferences, session


class STRIPMOCAP_OT_add_body(bpy.types.Operator):
    """Makes a body file of an official SMPL file."""

    bl_idname = "stripmocap.add_body"
    bl_label = "Add SMPL File"
    bl_description = (
        "Make a body model of your SMPL file (.pkl or .npz), so that captures on SMPL are shown "
        "on it. It stays on this computer; its licence is that of the file"
    )
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    filepath: StringProperty(  # type: ignore[valid-type]
        name="File Path", subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"}
    )
    filter_glob: StringProperty(  # type: ignore[valid-type]
        default="*.pkl;*.npz", options={"HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Asks for the file, unless one was dropped."""
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Has the backend convert it."""
        live = session.current()
        source = Path(bpy.path.abspath(self.filepath))
        computer, folder = preferences.this_computer(context), preferences.bodies_folder(context)
        live.body_line = ("note", f"Converting {source.name} …")
        live.ask(errands.AddBody(computer, source, folder))
        return {"FINISHED"}


class STRIPMOCAP_FH_body(bpy.types.FileHandler):
    """Lets an official SMPL file be dropped into a window."""

    bl_idname = "STRIPMOCAP_FH_body"
    bl_label = "SMPL body model"
    bl_import_operator = STRIPMOCAP_OT_add_body.bl_idname
    bl_file_extensions = ".pkl"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Takes drops on the 3D view and the sequencer."""
        return context.area is not None and context.area.type in {"VIEW_3D", "SEQUENCE_EDITOR"}


CLASSES = (STRIPMOCAP_OT_add_body, STRIPMOCAP_FH_body)
