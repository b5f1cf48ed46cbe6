"""Builds a .blend from a capture through the add-on's own operator, and pictures of it.

    python tools/build_blend.py capture.npz -o capture.blend
    python tools/build_blend.py capture.npz -o capture.blend --picture over.png --frame 40
    python tools/build_blend.py capture.npz -o capture.blend --movie over.mp4

Started by a Python without Blender, it goes on in the oldest Blender that tools/blender_env.py has
or can make, so that any Blender opens the file. The file has the clip's own rate and size. Pictures
show the bodies over the clip, with their shadow on the ground; without the clip, on grey.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import os
import sys
import types
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXTENSION = "stripmocap_extension"
SAMPLES = 16  # enough, with the denoiser, for plain materials under one sun
SKIN = ((0.27, 0.46, 0.80, 1.0), (0.85, 0.42, 0.22, 1.0), (0.36, 0.62, 0.30, 1.0))
SKY = (0.4, 0.4, 0.4, 1.0)
GROUND_M = 40.0


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = parsed(arguments)
    if importlib.util.find_spec("bpy") is None:
        sys.path.insert(0, str(Path(__file__).parent))
        blender_env = importlib.import_module("blender_env")
        here = str(Path(__file__).resolve())
        return blender_env.run_program([here, *(sys.argv[1:] if arguments is None else arguments)])
    status = build(options)
    # Blender 4.2 crashes and 4.5 hangs in the interpreter's own end, after all is done.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line as values, paths absolute."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("capture", type=_absolute, metavar="CAPTURE.npz")
    parser.add_argument("-o", "--output", type=_absolute, required=True, metavar="FILE.blend")
    parser.add_argument("--video", type=_absolute, help="the clip, if it is not where it was")
    parser.add_argument("--picture", type=_absolute, metavar="FILE.png")
    parser.add_argument("--frame", type=int, help="scene frame of the picture; default: the middle")
    parser.add_argument("--movie", type=_absolute, metavar="FILE.mp4")
    parser.add_argument("--percentage", type=int, default=100, help="size of pictures and movie")
    return parser.parse_args(arguments)


def build(options: argparse.Namespace) -> int:
    """Imports the capture into a new file, saves it, and renders what is asked for."""
    import bpy

    package = types.ModuleType(EXTENSION)
    package.__path__ = [str(ROOT)]
    sys.modules[EXTENSION] = package
    registration = importlib.import_module(f"{EXTENSION}.addon.registration")
    character = importlib.import_module(f"{EXTENSION}.addon.scene.character")
    contract = importlib.import_module(f"{EXTENSION}.addon.contract")

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    registration.register()
    scene = bpy.context.scene
    try:
        capture = contract.result_file.load(options.capture)
        footage = options.video or character.find_footage(capture, beside=options.capture.parent)
        start_s = character.clip_start_s(capture)
        match_clip(scene, capture, footage=footage, start_s=start_s)
        bpy.ops.stripmocap.import_capture(
            "EXEC_DEFAULT", filepath=str(options.capture), footage=str(options.video or "")
        )
        dress(scene)
        save(options.output)
        turned_deg = int(capture.provenance.get("source", {}).get("rotation_deg", 0))
        overlay = lay_over(scene, footage, start_s=start_s, turned_deg=turned_deg)
        if options.picture:
            render_still(overlay, options)
        if options.movie:
            render_movie(overlay, options)
    except contract.errors.StripMocapError as error:
        print(f"{error.message}. {error.hint}", file=sys.stderr)
        return 1
    except (OSError, RuntimeError) as error:  # what an operator reports comes as the latter
        print(error, file=sys.stderr)
        return 1
    return 0


def match_clip(scene: Any, capture: Any, *, footage: Path | None, start_s: float) -> None:
    """Gives the new file's scene the rate and the size of the clip."""
    render = scene.render
    render.resolution_x, render.resolution_y = capture.camera.size_px
    footages = importlib.import_module(f"{EXTENSION}.addon.scene.footage")
    fps = footages.movie_length(footage)[1] if footage else Fraction(30)
    render.fps = max(1, round(fps))
    render.fps_base = float(render.fps / fps)
    ends_s = [float(each.times_s[-1]) for take in capture.takes for each in take.motions]
    scene.frame_start = 1
    scene.frame_end = 1 + round((max(ends_s, default=start_s) - start_s) * float(fps))


def dress(scene: Any) -> None:
    """A light, a ground that only catches shadows, and a colour for each person."""
    import bpy

    stage = bpy.data.collections.new("Stage")
    scene.collection.children.link(stage)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.data.angle = 2.5, 0.15
    sun.rotation_euler = (0.6, -0.35, 0.0)
    half = GROUND_M / 2
    mesh = bpy.data.meshes.new("Ground")
    corners = [(-half, -half, 0), (half, -half, 0), (half, half, 0), (-half, half, 0)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    ground = bpy.data.objects.new("Ground", mesh)
    ground.is_shadow_catcher = True
    ground.display_type = "WIRE"
    for each in (sun, ground):
        stage.objects.link(each)
    scene.world = scene.world or bpy.data.worlds.new("World")
    with_nodes(scene.world).nodes["Background"].inputs["Color"].default_value = SKY
    bodies = [each for each in bpy.data.objects if each.name.endswith("_body")]
    for index, body in enumerate(bodies):
        material = bpy.data.materials.new(f"Person {index}")
        material.diffuse_color = SKIN[index % len(SKIN)]
        shader = with_nodes(material).nodes["Principled BSDF"]
        shader.inputs["Base Color"].default_value = SKIN[index % len(SKIN)]
        shader.inputs["Roughness"].default_value = 0.55
        body.data.materials.append(material)
    scene.camera = next(each for each in bpy.data.objects if each.type == "CAMERA")
    scene.render.engine = "CYCLES"
    scene.render.film_transparent = True
    scene.cycles.samples = SAMPLES
    scene.cycles.adaptive_threshold = 0.05
    scene.cycles.max_bounces = 2
    scene.cycles.use_denoising = True
    scene.cycles.denoising_quality = "FAST"


def with_nodes(owner: Any) -> Any:
    """The shader nodes of a world or material; from 5.0 on every new one has them."""
    if owner.node_tree is None:
        owner.use_nodes = True
    return owner.node_tree


def save(output: Path) -> None:
    """Writes the file, with the clip's path relative to it, whole or not at all."""
    import bpy

    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(f"{output.name}.part")
    for image in bpy.data.images:
        if image.source == "MOVIE":
            image.filepath = bpy.path.relpath(image.filepath_from_user(), start=str(output.parent))
    bpy.ops.wm.save_as_mainfile(filepath=str(part), copy=True, compress=True, relative_remap=False)
    part.replace(output)
    print(f"Wrote {output}", flush=True)


def lay_over(scene: Any, footage: Path | None, *, start_s: float, turned_deg: int) -> Any:
    """A scene that shows the people over the clip, frame by frame."""
    import bpy

    compat = importlib.import_module(f"{EXTENSION}.addon.scene.compat")
    overlay = bpy.data.scenes.new("Overlay")
    for name in ("resolution_x", "resolution_y", "fps", "fps_base"):
        setattr(overlay.render, name, getattr(scene.render, name))
    overlay.frame_start, overlay.frame_end = scene.frame_start, scene.frame_end
    # The clip's colours must come out as they went in.
    overlay.view_settings.view_transform = "Standard"
    strips = compat.strips(overlay.sequence_editor_create())
    if footage:
        before = round(start_s * scene.render.fps / scene.render.fps_base)
        clip = strips.new_movie("clip", str(footage), 1, 1 - before)
        fill(clip, overlay, turned_deg=0 if compat.turns_movies() else turned_deg)
    people = strips.new_scene("people", scene, 2, 1)
    people.blend_type = "ALPHA_OVER"
    return overlay


def fill(clip: Any, overlay: Any, *, turned_deg: int) -> None:
    """Turns the strip upright and stretches it over the whole picture, as captures see it."""
    width, height = clip.elements[0].orig_width, clip.elements[0].orig_height
    wanted = [overlay.render.resolution_x, overlay.render.resolution_y]
    if turned_deg % 180:
        wanted.reverse()
    clip.transform.rotation = -math.radians(turned_deg)
    clip.transform.scale_x, clip.transform.scale_y = wanted[0] / width, wanted[1] / height


def render_still(overlay: Any, options: argparse.Namespace) -> None:
    """Renders one frame."""
    middle = (overlay.frame_start + overlay.frame_end) // 2
    overlay.frame_set(middle if options.frame is None else options.frame)
    overlay.render.image_settings.file_format = "PNG"
    _render(overlay, options.picture, options.percentage, animation=False)


def render_movie(overlay: Any, options: argparse.Namespace) -> None:
    """Renders all frames."""
    settings = overlay.render.image_settings
    if hasattr(settings, "media_type"):  # 5.0 and later
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    overlay.render.ffmpeg.format = "MPEG4"
    overlay.render.ffmpeg.codec = "H264"
    overlay.render.ffmpeg.constant_rate_factor = "MEDIUM"
    _render(overlay, options.movie, options.percentage, animation=True)


def _render(overlay: Any, path: Path, percentage: int, *, animation: bool) -> None:
    import bpy

    # A render of another scene than the window's is of the window's frame.
    frame = overlay.frame_current
    bpy.context.window.scene = overlay
    overlay.frame_set(frame)
    for scene in bpy.data.scenes:  # the people are rendered at their own scene's size
        scene.render.resolution_percentage = percentage
    overlay.render.filepath = str(path)
    overlay.render.use_file_extension = False
    bpy.ops.render.render(animation=animation, write_still=not animation)
    print(f"Wrote {path}", flush=True)


def _absolute(text: str) -> Path:
    return Path(text).expanduser().absolute()


if __name__ == "__main__":
    sys.exit(main())
