"""Draws takes of a capture beside each other in Blender: a line a take, a column a moment.

    .venv/bin/python tools/picture_takes.py capture.npz --video walk.mp4 -o strip.jpg --at 2.4 2.6

Views are those of tools/render_takes.py; `footage` lays the person over the clip, cut to where the
person is, or over another clip (`--under`), such as the same one with nothing in the way. Moments
are seconds of the clip; takes are named as in results, the best last.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from stripmocap.cli.outputs import whole
from stripmocap.cli.overlay import span_of
from stripmocap.contract import result_file
from stripmocap.contract.errors import StripMocapError
from stripmocap.contract.motion import Capture
from stripmocap.evaluation import overlay

TOOLS = Path(__file__).parent
WORDS = {"frame": "frame by frame", "temporal": "over time", "fitted": "fitted"}
MARGIN = 0.12  # around the person over the footage, of the height
TILE_PX = 280  # at most high, over the footage
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 88]
INK, PAPER = (40, 40, 40), (236, 236, 236)
LINE_PX, GAP_PX = 22, 3  # of words, and between pictures


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    options = parsed(arguments)
    try:
        capture = result_file.load(options.capture)
        with tempfile.TemporaryDirectory() as folder:
            tiles = rendered(capture, options, folder=Path(folder))
        if options.view == "footage":
            tiles = over_footage(
                tiles,
                captured=pictures(capture, options.video, at=options.at),
                under=pictures(capture, options.under or options.video, at=options.at),
            )
    except StripMocapError as error:
        print(f"{error.message}. {error.hint}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"Blender failed: {error.output[-2000:]}", file=sys.stderr)
        return 1
    drawn = strip({WORDS.get(name, name): row for name, row in tiles.items()}, options.at)
    _, data = cv2.imencode(options.output.suffix, drawn[..., ::-1], JPEG)
    with whole(options.output) as partial:
        partial.write_bytes(data.tobytes())
    print(f"Saved {options.output}")
    return 0


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line as values."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("capture", type=Path, metavar="CAPTURE.npz")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.jpg")
    parser.add_argument("--video", type=Path, required=True, help="the captured clip")
    parser.add_argument("--under", type=Path, help="laid under the takes; default: the same")
    parser.add_argument("--view", choices=("footage", "side", "feet"), default="side")
    parser.add_argument("--takes", nargs="+", default=["temporal", "refined"], metavar="LABEL")
    parser.add_argument("--at", nargs="+", type=float, required=True, metavar="SECONDS")
    return parser.parse_args(arguments)


def rendered(
    capture: Capture, options: argparse.Namespace, *, folder: Path
) -> dict[str, list[np.ndarray]]:
    """(H, W, 4) uint8 RGBA of each take at each moment, by Blender.

    Raises:
        CalledProcessError: Blender failed; its words are in `output`.
    """
    start_s = span_of(capture, options.video).start_s
    blend = folder / "capture.blend"
    _run("build_blend.py", options.capture, "-o", blend, "--video", options.video)
    since = [str(each - start_s) for each in options.at]
    words = ["--view", options.view, "--takes", *options.takes, "--at", *since]
    _run("render_takes.py", blend, "-o", folder, *words)
    return {
        label: [_read(folder / f"{label}-{number}.png") for number in range(len(since))]
        for label in options.takes
    }


def pictures(capture: Capture, video: Path, *, at: Sequence[float]) -> list[np.ndarray]:
    """(H, W, 3) uint8 RGB of a clip at each of the moments `at`, seconds.

    Raises:
        VideoError: the clip cannot be read.
    """
    clip = span_of(capture, video)
    return [overlay.frame_at(clip, at_s).image for at_s in at]


def over_footage(
    tiles: Mapping[str, Sequence[np.ndarray]],
    *,
    captured: Sequence[np.ndarray],
    under: Sequence[np.ndarray],
) -> dict[str, list[np.ndarray]]:
    """The captured clip, and each take over the clip `under` it, cut to where the person is.

    Args:
        tiles: by take, (H, W, 4) uint8 RGBA of each moment.
        captured: (H, W, 3) uint8 RGB of each moment.
        under: the same of what is laid under.

    Returns:
        `footage` and each take: (h, w, 3) uint8 RGB of each moment, all of one size.
    """
    rows = {"footage": list(captured)} | {
        label: [_laid(tile, below) for tile, below in zip(row, under, strict=True)]
        for label, row in tiles.items()
    }
    boxes = np.array([_box(each) for each in zip(*tiles.values(), strict=True)])  # (M, 4)
    whole_px = np.array(captured[0].shape[1::-1])
    size = boxes[:, 2:].max(axis=0) + 2 * MARGIN * boxes[:, 3].max()
    size = np.minimum(size, whole_px).astype(int)
    corners = (boxes[:, :2] + boxes[:, 2:] / 2 - size / 2).clip(0, whole_px - size).astype(int)
    return {
        label: [
            _shrunk(image[y : y + size[1], x : x + size[0]])
            for image, (x, y) in zip(row, corners, strict=True)
        ]
        for label, row in rows.items()
    }


def strip(rows: Mapping[str, Sequence[np.ndarray]], at: Sequence[float]) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a line for each of `rows` with its name, and the moments above all.

    Args:
        rows: by name, (h, w, 3 or 4) uint8 pictures of each moment, all of one size.
        at: seconds, the moments.
    """
    width = next(iter(rows.values()))[0].shape[1]
    lines = [_beside([_words(f"{each:.2f} s", width) for each in at])]
    for name, row in rows.items():
        lines += [_words(name, lines[0].shape[1]), _beside(row)]
    return np.concatenate(lines)


def _run(program: str, *words: object) -> None:
    command = [sys.executable, str(TOOLS / program), *map(str, words)]
    subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _read(path: Path) -> np.ndarray:
    """(H, W, 4) uint8."""
    with av.open(str(path)) as picture:
        return next(picture.decode(video=0)).to_ndarray(format="rgba")


def _box(tiles: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Left, top, width and height in pixels of what any of `tiles` (H, W, 4) shows."""
    anything = np.max([each[..., 3] for each in tiles], axis=0) > 0
    return tuple(cv2.boundingRect(anything.astype(np.uint8)))


def _laid(tile: np.ndarray, picture: np.ndarray) -> np.ndarray:
    share = tile[..., 3:].astype(np.float64) / 255
    return np.rint(picture + share * (tile[..., :3] - picture.astype(np.float64))).astype(np.uint8)


def _shrunk(image: np.ndarray) -> np.ndarray:
    scale = min(1.0, TILE_PX / image.shape[0])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _beside(tiles: Sequence[np.ndarray]) -> np.ndarray:
    edge = ((0, 0), (0, GAP_PX), (0, 0))
    framed = [np.pad(each[..., :3], edge, constant_values=PAPER[0]) for each in tiles]
    return np.concatenate(framed, axis=1)


def _words(text: str, width: int) -> np.ndarray:
    line = np.full((LINE_PX, width, 3), PAPER, dtype=np.uint8)
    cv2.putText(line, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)
    return line


if __name__ == "__main__":
    sys.exit(main())
