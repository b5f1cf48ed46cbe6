"""The story of an import: a capture becomes a collection with its camera and its people.

A shot is a collection; in it, each person has a collection of their own with a rig, a body that
the rig moves, and an action for each take. The best take is the one that plays. Names that exist
already get Blender's number at their end; nothing that was there is touched.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import bpy
import numpy as np

from ..contract import body_file, errors, motion
from ..rigging import bones
from ..rigging.quaternions import continuous
from ..rigging.timing import StripTiming
from . import animation, armature, camera, compat, contacts, floor, follow, mesh, steps
from .takes import keep as keep_takes

Steps = steps.Steps["Shot"]

_FRAMES_A_STEP = 3000  # whose poses are worked out
_NAME_BYTES = 32  # of the source's name; Blender cuts names at 63 bytes before 5.0


@dataclass(frozen=True)
class Shot:
    """What an import made."""

    collection: bpy.types.Collection
    camera: bpy.types.Object
    rigs: tuple[bpy.types.Object, ...]  # one a person
    actions: tuple[bpy.types.Action, ...]  # one a person and take
    timing: StripTiming

    @property
    def people(self) -> tuple[str, ...]:
        """Names of the people's rigs."""
        return tuple(each.name for each in self.rigs)


def import_capture(
    capture: motion.Capture,
    *,
    body: body_file.BodyTemplate,
    scene: bpy.types.Scene,
    timing: StripTiming,
) -> Shot:
    """Puts `capture` into `scene`: camera, people and their takes.

    Mode, selection, frame and frame rate stay as they are.

    Raises:
        ResultFileError: there is nobody in the capture.
    """
    return steps.run(importing(capture, body=body, scene=scene, timing=timing))


def importing(
    capture: motion.Capture,
    *,
    body: body_file.BodyTemplate,
    scene: bpy.types.Scene,
    timing: StripTiming,
) -> Steps:
    """The same in steps, so that Blender can draw and handle events in between.

    Undo, redo and loading a file between two steps take away what was made until then.
    """
    people = _people(capture)
    if not people and capture.tracks:
        raise errors.ResultFileError(
            "this job only looked for people: there are no bodies in its result",
            hint="Capture the strip.",
        )
    if not people:
        raise errors.ResultFileError(
            "the capture has no people in it", hint="Capture a span where a person can be seen."
        )
    source = source_name(capture)
    collection = bpy.data.collections.new(f"{source} capture")
    scene.collection.children.link(collection)
    seer = camera.build(f"{source}_camera", capture.camera, collection=collection, scene=scene)
    camera.animate(seer, capture.camera, timing=timing)
    rigs, actions = [], []
    for person, takes in people.items():
        rig, made = yield from _building(
            f"{source}_person{person}",
            takes,
            body=body,
            view=capture.camera,
            timing=timing,
            collection=collection,
        )
        for key, value in _provenance(capture, body=body, person=person).items():
            rig[f"stripmocap_{key}"] = value
        rigs.append(rig)
        actions += made
    _lay_floor(f"{source}_floor", capture, body=body, collection=collection)
    return Shot(collection, seer, rigs=tuple(rigs), actions=tuple(actions), timing=timing)


def mark(shot: Shot, capture: motion.Capture, *, job_id: str, strip_id: str) -> None:
    """Keeps on what was imported which job it came from and, if any, which strip it follows."""
    moved = shot.camera.animation_data
    follow.mark(
        (*shot.actions, *([moved.action] if moved is not None and moved.action else [])),
        shot.camera,
        strip_id=strip_id,
        timing=shot.timing,
        span_s=clip_span_s(capture),
    )
    for each in (shot.collection, *shot.rigs):
        each["stripmocap_job"] = job_id


def show_footage(
    shot: Shot,
    capture: motion.Capture,
    *,
    scene: bpy.types.Scene,
    footage: Path | None,
    beside: Path,
) -> None:
    """Puts the captured clip behind the camera of `shot`.

    The clip is `footage`, or looked for where it was captured, then in the folder `beside`.

    Raises:
        RequestError: the clip is in neither place, or Blender cannot read it.
    """
    footage = footage or find_footage(capture, beside=beside)
    if footage is None:
        raise errors.RequestError(f"the clip {clip_path(capture) or 'of this capture'} is missing")
    camera.show_footage(
        shot.camera,
        footage,
        timing=shot.timing,
        turned_deg=int(capture.provenance.get("source", {}).get("rotation_deg", 0)),
        scene=scene,
    )


def find_footage(capture: motion.Capture, *, beside: Path) -> Path | None:
    """The captured clip's file, where it was or in the folder `beside`; None if in neither."""
    path, name = clip_path(capture), clip_name(capture)
    candidates = (Path(path), beside / path, beside / name) if name else ()
    return next((each.absolute() for each in candidates if each.is_file()), None)


def clip_path(capture: motion.Capture) -> str:
    """Where the clip was when it was captured; empty if the capture does not say."""
    return str(_clip(capture).get("path", ""))


def clip_start_s(capture: motion.Capture) -> float:
    """Second of the clip at which the captured span begins."""
    return float(_clip(capture).get("start_s", 0.0))


def clip_span_s(capture: motion.Capture) -> tuple[float, float]:
    """Seconds of the clip that were captured; the end is infinite where it was left open."""
    stop_s = _clip(capture).get("stop_s")
    return clip_start_s(capture), math.inf if stop_s is None else float(stop_s)


def clip_name(capture: motion.Capture) -> str:
    """The file name of the clip, from a path of whatever system; empty if there is none."""
    return PureWindowsPath(clip_path(capture)).name  # it takes both kinds of slashes


def source_name(capture: motion.Capture) -> str:
    """The name of the clip without its ending, short enough to begin Blender's names."""
    stem = PureWindowsPath(clip_name(capture)).stem or "clip"
    return stem.encode()[:_NAME_BYTES].decode(errors="ignore")


def _clip(capture: motion.Capture) -> dict[str, Any]:
    return capture.provenance.get("request", {}).get("clip", {})


def _people(capture: motion.Capture) -> dict[int, dict[str, motion.Motion]]:
    """Each person's motion by take, takes in the order of their labels, the best last."""
    people: dict[int, dict[str, motion.Motion]] = {}
    for take in sorted(capture.takes, key=lambda each: motion.TAKE_LABELS.index(each.label)):
        for each in take.motions:
            people.setdefault(each.person, {})[take.label] = each
    return dict(sorted(people.items()))


def _lay_floor(
    name: str,
    capture: motion.Capture,
    *,
    body: body_file.BodyTemplate,
    collection: bpy.types.Collection,
) -> None:
    """Shows the floor where people were refined on one."""
    places = []
    for each in capture.best.motions:
        if each.contacts is not None:
            world = capture.camera.world_from_camera_at(each.times_s)
            pelvis = each.transl + body.rest_joints(each.betas)[0]
            places.append(np.einsum("tab,tb->ta", world[:, :3, :3], pelvis) + world[:, :3, 3])
    if places:
        floor.build(name, places, collection=collection)


def _building(
    name: str,
    takes: dict[str, motion.Motion],
    *,
    body: body_file.BodyTemplate,
    view: motion.Camera,
    timing: StripTiming,
    collection: bpy.types.Collection,
) -> steps.Steps[tuple[bpy.types.Object, list[bpy.types.Action]]]:
    betas = list(takes.values())[-1].betas
    rest = bones.rest_bones(body.rest_joints(betas))
    own = bpy.data.collections.new(name)
    collection.children.link(own)
    rig = armature.build(name, rest, collection=own)
    if any(each.contacts is not None for each in takes.values()):
        contacts.declare(rig)
    yield
    figure = yield from mesh.building(f"{name}_body", body, betas=betas, rig=rig)
    own.objects.link(figure)
    yield
    # The bones as Blender rounded them, so that no error of its own creeps into the keys.
    rotations = armature.rest_rotations(rig)
    actions = {}
    for label, each in takes.items():
        action = yield from _building_take(
            f"{name}_{label}",
            each,
            rig=rig,
            rest=rest,
            rotations=rotations,
            rest_pelvis=body.rest_joints(each.betas)[0],
            view=view,
            timing=timing,
        )
        compat.assign(rig, action)  # the last is the best
        actions[label] = action
        yield
    keep_takes(rig, actions)
    return rig, list(actions.values())


def _building_take(
    name: str,
    take: motion.Motion,
    *,
    rig: bpy.types.Object,
    rest: bones.RestBones,
    rotations: np.ndarray,
    rest_pelvis: np.ndarray,
    view: motion.Camera,
    timing: StripTiming,
) -> steps.Steps[bpy.types.Action]:
    frames = timing.scene_frames(take.times_s)
    rising = slice(None) if timing.rate > 0 else slice(None, None, -1)
    # One matrix is a thousand times quicker than as many as there are frames.
    world_from_camera = view.world_from_camera
    if view.path is not None:
        world_from_camera = view.world_from_camera_at(take.times_s)  # (T, 4, 4)
    quats = yield from _turning(take, world_from_camera, rotations)
    locations = bones.root_locations(
        take.transl,
        rest_pelvis=rest_pelvis,
        world_from_camera=world_from_camera,
        root_head=rest.heads[0],
        root_rotation=rotations[0],
    )
    yield
    action = yield from animation.building_action(
        name,
        rig,
        frames=frames[rising],
        quats=quats[rising],
        locations=locations[rising],
        held=contacts.held(take, frames),
    )
    if take.contacts is not None:
        contacts.note(action)
    return action


def _turning(
    take: motion.Motion, world_from_camera: np.ndarray, rotations: np.ndarray
) -> steps.Steps[np.ndarray]:
    """(T, 24, 4) poses of the bones, some frames a step."""
    moves = world_from_camera.ndim == 3
    pieces = []
    for first in range(0, len(take.times_s), _FRAMES_A_STEP):
        piece = slice(first, first + _FRAMES_A_STEP)
        pieces.append(
            bones.pose_quats(
                take.global_orient[piece],
                take.body_pose[piece],
                world_from_camera=world_from_camera[piece] if moves else world_from_camera,
                rest_rotations=rotations,
            )
        )
        yield
    return continuous(np.concatenate(pieces))


def _provenance(
    capture: motion.Capture, *, body: body_file.BodyTemplate, person: int
) -> dict[str, Any]:
    request = capture.provenance.get("request", {})
    text = json.dumps(request, sort_keys=True)
    return {
        "source": clip_path(capture),
        "person": person,
        "model": body.name,
        "licence": body.licence,
        "method": _methods(request),
        "method_licence": _method_licence(capture),
        "version": str(capture.provenance.get("versions", {}).get("stripmocap", "")),
        "request_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _methods(request: dict[str, Any]) -> str:
    """What ran, in order; requests of earlier versions name one refiner."""
    keys = (request.get("estimator"), request.get("refiner"), *(request.get("refiners") or ()))
    return "+".join(str(each) for each in keys if each)


def _method_licence(capture: motion.Capture) -> str:
    """Terms of the weights that the motion was made with, which may bind the motion too."""
    provenance = capture.provenance
    records = provenance.get("methods") or [provenance.get("method")]
    licences = [
        str(each.get("licence", ""))
        for each in (records if isinstance(records, list) else [])
        if isinstance(each, dict)
    ]
    return "; ".join(dict.fromkeys(filter(None, licences)))
