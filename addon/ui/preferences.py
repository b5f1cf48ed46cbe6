"""The extension's preferences: where captures run, and what this user has there."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from .. import EXTENSION
from ..contract import errors, handover, places
from ..remote import host
from . import labels, session

CHECKOUT = Path(__file__).parents[2]
HERE, SERVER, NOWHERE = "HERE", "SERVER", "NOWHERE"
_MARKS = {"ok": "CHECKMARK", "note": "INFO", "problem": "ERROR"}


@dataclass(frozen=True)
class Defaults:
    """What holds where Blender keeps no preferences of ours, as with `--addons`."""

    where: str = HERE
    python: str = ""
    data: str = ""
    bodies: str = ""
    device: str = "auto"
    cache_gb: float = 20.0
    url: str = ""
    token: str = ""
    ca: str = ""
    auto_import: bool = True
    finish_jobs: bool = False


def _changed(preferences: Any, context: bpy.types.Context) -> None:
    session.current().preferences_changed()


class STRIPMOCAP_AP_preferences(bpy.types.AddonPreferences):
    """Where captures run, and what this user has there."""

    bl_idname = EXTENSION

    where: EnumProperty(  # type: ignore[valid-type]
        name="Captures Run",
        items=(
            (HERE, "On This Computer", "A service that Strip Mocap starts, and ends with Blender"),
            (SERVER, "On My Server", "A service that runs on another computer; footage is sent"),
            (NOWHERE, "Nowhere", "Only import results that were made elsewhere"),
        ),
        default=HERE,
        update=_changed,
    )
    python: StringProperty(  # type: ignore[valid-type]
        name="Python",
        description="The python program of the environment that has the backend. "
        "Empty: found where `make` put it",
        subtype="FILE_PATH",
        update=_changed,
    )
    data: StringProperty(  # type: ignore[valid-type]
        name="Data Folder",
        description="Where jobs, results and the cache are kept. Empty: the usual place for data",
        subtype="DIR_PATH",
        update=_changed,
    )
    bodies: StringProperty(  # type: ignore[valid-type]
        name="Body Models",
        description="Folder of body files that `stripmocap convert-body` made of your SMPL files, "
        "for captures on them. Empty: bodies in the data folder",
        subtype="DIR_PATH",
        update=_changed,
    )
    device: StringProperty(  # type: ignore[valid-type]
        name="Device",
        description="What to compute on: auto, cpu, cuda, cuda:1 or mps. "
        "It holds from the next start of the service",
        default="auto",
        update=_changed,
    )
    cache_gb: FloatProperty(  # type: ignore[valid-type]
        name="Cache",
        description="Most that kept steps may take on disk, in GB. "
        "It holds from the next start of the service",
        default=20.0,
        min=0.1,
        soft_max=500.0,
        update=_changed,
    )
    url: StringProperty(  # type: ignore[valid-type]
        name="Address",
        description="Where the service listens, such as https://machine:8080",
        update=_changed,
    )
    token: StringProperty(  # type: ignore[valid-type]
        name="Token",
        description="What the service keeps in its token file. "
        "Blender keeps it in your preferences file",
        subtype="PASSWORD",
        update=_changed,
    )
    ca: StringProperty(  # type: ignore[valid-type]
        name="Certificates",
        description="A file of certificates to trust, for a service that signs its own. "
        "Empty: those of the system",
        subtype="FILE_PATH",
        update=_changed,
    )
    auto_import: BoolProperty(  # type: ignore[valid-type]
        name="Import Finished Captures",
        description="Bring a capture into the scene once it is done, as one step to undo",
        default=True,
    )
    finish_jobs: BoolProperty(  # type: ignore[valid-type]
        name="Finish Jobs After Blender Closes",
        description="Let the service work its queue off; results are offered at the next start",
        default=False,
        update=_changed,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draws them."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(self, "where")
        if self.where == HERE:
            _draw_here(layout, self)
        elif self.where == SERVER:
            _draw_server(layout, self)
        _draw_check(layout, context, session.current())
        layout.separator()
        _draw_bodies(layout, self, context)
        layout.prop(self, "auto_import")
        if self.where == HERE:
            layout.prop(self, "finish_jobs")


def of(context: bpy.types.Context) -> Any:
    """The preferences, or what holds without any."""
    kept = context.preferences.addons.get(EXTENSION)
    found = kept.preferences if kept is not None else None
    return found if isinstance(found, STRIPMOCAP_AP_preferences) else Defaults()


def backend_of(context: bpy.types.Context) -> host.Backend | None:
    """Where captures run; None for nowhere.

    Raises:
        RequestError: the address is missing.
        NotAllowed: Blender is not to go online.
    """
    chosen = of(context)
    if chosen.where == HERE:
        return this_computer(context)
    if chosen.where == NOWHERE:
        return None
    if not chosen.url.strip():
        raise errors.RequestError(
            "the address of your server is missing", hint="Type it in the preferences."
        )
    if not (bpy.app.online_access or handover.is_loopback(host.name_of(chosen.url))):
        raise errors.NotAllowed(
            "Blender is not allowed to go online",
            hint="Switch on Allow Online Access in Preferences, System, Network.",
        )
    data = _path(chosen.data) or places.data_folder()
    return host.MyServer(chosen.url.strip(), chosen.token.strip(), data=data, ca=_path(chosen.ca))


def this_computer(context: bpy.types.Context) -> host.ThisComputer:
    """The backend of this computer as it is preferred, wherever captures run."""
    chosen = of(context)
    return host.ThisComputer(
        data=_path(chosen.data) or places.data_folder(),
        checkout=CHECKOUT,
        python=_path(chosen.python),
        device=chosen.device.strip() or "auto",
        cache_gb=round(chosen.cache_gb, 3),
        finish_jobs=chosen.finish_jobs,
    )


def bodies_folder(context: bpy.types.Context) -> Path:
    """Where the user's body files are; it may not exist."""
    chosen = of(context)
    return _path(chosen.bodies) or places.bodies_folder(_path(chosen.data))


CLASSES = (STRIPMOCAP_AP_preferences,)


def _path(text: str) -> Path | None:
    return Path(bpy.path.abspath(text.strip())) if text.strip() else None


def _draw_here(layout: bpy.types.UILayout, chosen: STRIPMOCAP_AP_preferences) -> None:
    layout.prop(chosen, "python")
    layout.prop(chosen, "data")
    layout.prop(chosen, "device")
    layout.prop(chosen, "cache_gb")
    row = layout.row()
    row.operator("stripmocap.check")
    row.operator("stripmocap.clear_cache")


def _draw_server(layout: bpy.types.UILayout, chosen: STRIPMOCAP_AP_preferences) -> None:
    layout.prop(chosen, "url")
    layout.prop(chosen, "token")
    layout.prop(chosen, "ca")
    layout.prop(chosen, "data")
    layout.operator("stripmocap.test")


def _draw_bodies(
    layout: bpy.types.UILayout, chosen: STRIPMOCAP_AP_preferences, context: bpy.types.Context
) -> None:
    layout.prop(chosen, "bodies")
    layout.operator("stripmocap.add_body")
    if line := session.current().body_line:
        state, text = line
        labels.say(layout.column(align=True), context, text, icon=_MARKS[state])


def _draw_check(
    layout: bpy.types.UILayout, context: bpy.types.Context, live: "session.Session"
) -> None:
    column = layout.column(align=True)
    for state, text in live.check_lines():
        labels.say(column, context, text, icon=_MARKS.get(state, "BLANK1"))
