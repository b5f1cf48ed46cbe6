"""What the user chooses for captures, kept in the sequencer's scene, and the request made of it."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty

from ..contract import body_file, errors, messages, methods
from ..scene import solved_camera, solves
from ..scene.corrections import Corrections
from ..scene.strips import Shot
from .presets import PRESETS

AUTO, VALUE, SOLVED = "AUTO", "VALUE", "SOLVED"
STILL, SCENE = "STILL", "SCENE"
FULL_FRAME_MM = 36.0  # width of the film that focal lengths are told for
_LOW_M, _HIGH_M = methods.HEIGHT_RANGE_M
_BOUNDS: dict[tuple[type[methods.Options], str], Any] = {
    (kind, name): each.metadata
    for kind in (methods.SmplifyOptions, methods.HumorOptions)
    for name, each in kind.__dataclass_fields__.items()
}
_SOLVERS: dict[methods.Solver, tuple[str, str]] = {
    "fast": ("Fast", "All frames at once: seconds"),
    "paper": ("As Published", "In the three stages of the paper: minutes for each second"),
}
# What each weight of a method is called here: two methods have contacts.
_TUNED: dict[type[methods.Options], dict[str, str]] = {
    methods.SmplifyOptions: {name: name for name in ("depth_cue", "smoothness", "contacts")},
    methods.HumorOptions: {"prior": "prior", "contacts": "touching", "solver": "solver"},
}


def _weight(kind: type[methods.Options], name: str, label: str, description: str) -> Any:
    bounds = _BOUNDS[kind, name]
    return FloatProperty(
        name=label,
        description=description,
        default=getattr(kind(), name),
        min=bounds["min"],
        max=bounds["max"],
        soft_max=min(bounds["max"], 5.0),
    )


class STRIPMOCAP_PG_scene(bpy.types.PropertyGroup):
    """What the user chooses for captures of a scene's strips."""

    preset: EnumProperty(  # type: ignore[valid-type]
        name="Preset",
        description="How much to put into the capture",
        items=[(each.key, each.label, each.says) for each in PRESETS.values()],
        default="BALANCED",
    )
    use_height: BoolProperty(  # type: ignore[valid-type]
        name="Actor's Height",
        description="Say how tall the actor is; else a grown person of usual height is assumed. "
        "The size of everything depends on it",
        default=False,
    )
    height_m: FloatProperty(  # type: ignore[valid-type]
        name="Height",
        description="How tall the actor is without shoes",
        default=1.75,
        min=_LOW_M,
        max=_HIGH_M,
        subtype="DISTANCE",
        unit="LENGTH",
        precision=2,
    )
    body: EnumProperty(  # type: ignore[valid-type]
        name="Body",
        description="Which body is fitted to the person",
        items=[(each, each.title(), f"The {each} body") for each in body_file.GENDERS],
        default=body_file.GENDERS[0],
    )
    camera: EnumProperty(  # type: ignore[valid-type]
        name="Camera",
        description="Whether the camera that filmed stood still, and if not, where it was",
        items=(
            (STILL, "Stands Still", "The ground is found in the shot"),
            (
                SCENE,
                "Scene Camera",
                "It moved as the scene's active camera does, which Blender's tracker has solved or "
                "somebody animated. People are put into its world, with the floor at height 0",
            ),
        ),
        default=STILL,
    )
    focal: EnumProperty(  # type: ignore[valid-type]
        name="Focal Length",
        description="How long the lens of the footage is",
        items=(
            (
                AUTO,
                "Automatic",
                "Taken from the size of the picture, or from the scene's camera if that filmed",
            ),
            (VALUE, "Value", "As told for a full-frame camera"),
            (SOLVED, "Solved Camera", "From the movie clip of the same file that was tracked"),
        ),
        default=AUTO,
    )
    focal_mm: FloatProperty(  # type: ignore[valid-type]
        name="Full-Frame Focal Length",
        description="Focal length as told for a film 36 mm wide; phones tell it as "
        "35 mm equivalent",
        default=28.0,
        min=5.0,
        max=1000.0,
        unit="CAMERA",
    )
    tuned: BoolProperty(  # type: ignore[valid-type]
        name="Tune the Fit",
        description="Use the weights below instead of the preset's",
        default=False,
    )
    depth_cue: _weight(  # type: ignore[valid-type]
        methods.SmplifyOptions,
        "depth_cue",
        "Depth",
        "How much the detector's own guess of depth counts; 0 ignores it",
    )
    smoothness: _weight(  # type: ignore[valid-type]
        methods.SmplifyOptions,
        "smoothness",
        "Smoothness",
        "How steady movement is; 0 fits every picture alone",
    )
    contacts: _weight(  # type: ignore[valid-type]
        methods.SmplifyOptions,
        "contacts",
        "Feet",
        "How firmly feet stay put while the picture shows them at rest",
    )
    prior: _weight(  # type: ignore[valid-type]
        methods.HumorOptions,
        "prior",
        "How People Move",
        "How much it counts how people usually move, against what is seen; 0 ignores it",
    )
    touching: _weight(  # type: ignore[valid-type]
        methods.HumorOptions,
        "contacts",
        "Contacts",
        "How firmly feet and hands stay where they touch the ground; 0 lets them slide",
    )
    solver: EnumProperty(  # type: ignore[valid-type]
        name="Solver",
        description="How the refined motion is found",
        items=[
            (each, *_SOLVERS[each]) for each in _BOUNDS[methods.HumorOptions, "solver"]["choices"]
        ],
        default=methods.HumorOptions().solver,
    )


def of(scene: bpy.types.Scene) -> STRIPMOCAP_PG_scene:
    """What is chosen for captures of the scene's strips."""
    return scene.stripmocap


def tuned_by(chosen: STRIPMOCAP_PG_scene) -> list[str]:
    """The weights that the chosen preset's methods heed, in the order in which they run."""
    kinds = [
        methods.METHODS[key].options
        for key in PRESETS[chosen.preset].runs
        if key in methods.METHODS
    ]
    return [own for kind in kinds for own in _TUNED.get(kind, {}).values()]


def span_of(chosen: STRIPMOCAP_PG_scene, shot: Shot) -> tuple[float, float]:
    """Seconds of the file that are captured of `shot`, the end exclusive."""
    preset = PRESETS[chosen.preset]
    if preset.at_most_s is None:
        return shot.start_s, shot.stop_s
    return shot.start_s, min(shot.stop_s, shot.start_s + preset.at_most_s)


def search(shot: Shot, *, span: tuple[float, float]) -> messages.CaptureRequest:
    """What the service is asked in order to find the people in a span of `shot`."""
    return messages.CaptureRequest(messages.Clip(str(shot.path), *span), estimator=None)


def request(
    chosen: STRIPMOCAP_PG_scene,
    shot: Shot,
    *,
    span: tuple[float, float] | None = None,
    corrections: Corrections = (),
    filmed: solved_camera.Solved | None = None,
) -> messages.CaptureRequest:
    """What the service is asked for `shot`, or for a `span` of it in seconds of the file.

    `filmed` is the camera that moved; None if it stood still.

    Raises:
        RequestError: a value cannot be, or the solved camera is missing.
    """
    preset = PRESETS[chosen.preset]
    start_s, stop_s = span or span_of(chosen, shot)
    estimator, *refiners = preset.runs
    return messages.CaptureRequest(
        clip=messages.Clip(str(shot.path), start_s=start_s, stop_s=stop_s),
        estimator=estimator,
        options=_options(chosen, estimator),
        weights=preset.weights,
        refiners=tuple(refiners),
        refiner_options=tuple(_options(chosen, each) for each in refiners),
        body=chosen.body,
        height_m=round(chosen.height_m, 3) if chosen.use_height else None,
        focal_px=_focal_px(chosen, shot, filmed),
        corrections=corrections,
        camera_path=filmed.path if filmed is not None else None,
    )


CLASSES = (STRIPMOCAP_PG_scene,)


def register() -> None:
    """Adds the properties to every scene."""
    bpy.types.Scene.stripmocap = PointerProperty(type=STRIPMOCAP_PG_scene)


def unregister() -> None:
    """Removes them; harmless when they are gone already."""
    if hasattr(bpy.types.Scene, "stripmocap"):
        del bpy.types.Scene.stripmocap


def _options(chosen: STRIPMOCAP_PG_scene, method: str) -> methods.Options:
    kind = methods.METHODS[method].options
    names = _TUNED.get(kind, {}) if chosen.tuned else {}
    return kind(**{name: _value(chosen, own) for name, own in names.items()})


def _value(chosen: STRIPMOCAP_PG_scene, name: str) -> Any:
    value = getattr(chosen, name)
    # Single precision makes 0.1 a little more; six digits are what the user saw.
    return round(value, 6) if isinstance(value, float) else value


def _focal_px(
    chosen: STRIPMOCAP_PG_scene, shot: Shot, filmed: solved_camera.Solved | None
) -> float | None:
    if chosen.focal == AUTO:
        known = filmed.focal_px if filmed is not None else None
        return round(known, 3) if known is not None else None
    if chosen.focal == SOLVED:
        solved = solves.focal_px(shot)
        if solved is None:
            raise errors.RequestError(
                f"there is no solved camera of {shot.strip}'s footage in this file",
                hint="Track its movie clip and solve the camera, or choose another focal length.",
            )
        return solved
    width = solves.width_px(shot)
    if not width:
        raise errors.RequestError(
            f"Blender does not tell how wide the picture of {shot.strip} is",
            hint="Choose Automatic.",
        )
    return round(float(chosen.focal_mm) / FULL_FRAME_MM * width, 3)
