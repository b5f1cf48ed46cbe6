"""Make the demo clip: the embedded body walks through a room, and the exact truth about it.

    pip install bpy==4.5.15 av                    (Python 3.11)
    PYTHONPATH=backend python tools/make_demo_clip.py --mocap FOLDER --frames SCRATCH

FOLDER holds CMU recordings as SMPL poses (index.json and .npz). A run that was stopped goes on
with the frames that SCRATCH lacks.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from demo_clip import figure, view, walk
from stripmocap.contract import body_file

FRAMES = 120
_CRF = "15"
_FADE_PX = 10
ROOM = "room.png"


def main() -> None:
    """Write walk.mp4 and walk.truth.npz into the output folder."""
    parser = argparse.ArgumentParser(description="Make the demo clip.")
    parser.add_argument("--mocap", type=Path, required=True)
    parser.add_argument("--frames", type=Path, required=True, help="where rendered frames are kept")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="render only each n-th frame, no clip")
    arguments = parser.parse_args()
    body = body_file.load(body_file.EMBEDDED_BODY, "male")
    walked = walk.load(arguments.mocap, body, frames=FRAMES)
    arguments.output.mkdir(parents=True, exist_ok=True)
    arguments.frames.mkdir(parents=True, exist_ok=True)
    render(walked, body, folder=arguments.frames, threads=arguments.threads, every=arguments.every)
    if arguments.every == 1:
        encode(arguments.frames, arguments.output / "walk.mp4")
        truth = arguments.output / "walk.truth.npz"
        view.write_truth(truth, walked, landmark_names=body.landmark_names)


def render(
    walked: walk.Walk, body: body_file.BodyTemplate, *, folder: Path, threads: int, every: int
) -> None:
    """Render the room and each frame that `folder` lacks."""
    missing = [index for index in range(0, FRAMES, every) if not _picture(folder, index).exists()]
    room = folder / ROOM
    if room.exists() and not missing:
        return
    # Imported late: encoding needs no Blender.
    from demo_clip.stage import Stage, sunbeam

    zone = figure.zones(body)
    stage = Stage(body, zone, threads=threads)
    if not room.exists():
        stage.render_room(room)
    for index in missing:
        vertices = figure.dressed(walked.vertices[index], body, zone)
        box = view.box_around(vertices, light=sunbeam())
        stage.render(vertices, _picture(folder, index), box=box)


def encode(folder: Path, path: Path) -> None:
    """The frames of `folder`, laid over the room, as H.264 in `path`."""
    room = _read(folder / ROOM)[..., :3].astype(np.float64)
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as movie:
        stream = movie.add_stream("libx264", rate=walk.FPS)
        stream.width, stream.height = view.WIDTH, view.HEIGHT
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, walk.FPS)
        stream.options = {"crf": _CRF, "preset": "slow"}
        for index in range(FRAMES):
            picture = _over(room, _read(_picture(folder, index)))
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, walk.FPS)
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode())


def _over(room: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: `picture` (H, W, 4) on `room` (H, W, 3), its box fading out at the rim."""
    rows, columns = np.nonzero(picture[..., 3])
    shares = [
        np.clip((np.minimum(line - inside.min(), inside.max() - line) + 1) / _FADE_PX, 0, 1)
        for line, inside in ((np.arange(len(room)), rows), (np.arange(room.shape[1]), columns))
    ]
    share = np.minimum(shares[0][:, None], shares[1])[..., None]
    return np.rint(room + share * (picture[..., :3] - room)).astype(np.uint8)


def _read(path: Path) -> np.ndarray:
    """(H, W, 4) uint8."""
    with av.open(str(path)) as picture:
        return next(picture.decode(video=0)).to_ndarray(format="rgba")


def _picture(folder: Path, index: int) -> Path:
    return folder / f"{index:04d}.png"


if __name__ == "__main__":
    main()
