"""Chains of methods on footage whose truth is known, some with a thing drawn over the legs.

People are looked for once a film. Beside the takes stands what the detector itself says of a body
in three dimensions, which is what MediaPipe hands out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract import npz_file
from ..contract.errors import AssetCorrupt, TruthFileError
from ..contract.messages import Clip
from ..contract.motion import Camera
from ..contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES, LIMB_JOINTS
from ..evaluation import cases, truth
from ..evaluation.comparison import on_truth_frames
from ..evaluation.grounded import Means, judge, means
from ..evaluation.metrics import MIN_PROCRUSTES_POINTS, procrustes
from ..evaluation.truth import Truth
from ..people import observations
from ..people.blazepose import BlazePose
from ..people.observations import Person
from ..people.tracking import follow
from ..pipeline import USUAL_FOCAL
from ..video.frames import probe, read_frames
from .humor_takes import Bench, Chain

Report = Callable[[str, int, int], None]

BOXES = "occluder_boxes.json"  # beside films: what was drawn, by film and frame
DETECTOR = "detector"  # what its own bodies are called
LEGS = [index for index, name in enumerate(LIMB_JOINTS) if "knee" in name or "ankle" in name]
_LIMBS = [BLAZEPOSE_NAMES.index(name) for name in LIMB_JOINTS]
_JOINTS = [JOINT_NAMES.index(name) for name in LIMB_JOINTS]
_MM = 1000.0


@dataclass(frozen=True, eq=False)
class Film:
    """Footage of one person who is judged."""

    name: str
    people: tuple[Person, ...]
    camera: Camera
    truth: Truth
    hidden: np.ndarray  # (T, 12) bool, limb joints behind what was drawn, in frames of the truth


@dataclass(frozen=True, eq=False)
class Filmed:
    """What a chain came to on a film."""

    film: str
    chain: str
    means: Means | None  # None: the detector stands on no floor
    pa_mm: float  # of all limb joints and frames
    legs_mm: float  # of knees and ankles in frames in which any of them is hidden
    curve: np.ndarray  # (T,) of knees and ankles in each frame of the truth; NaN where not compared


def films(folder: Path, kept: Path, report: Report) -> list[Film]:
    """The films of `folder` whose truth is about one person.

    Args:
        folder: films, their truths, and what was drawn into them.
        kept: a folder where people are kept who were found; the next time they are read from there.
        report: told of every frame.

    Raises:
        TruthFileError: none has a truth, or one cannot be read.
        VideoError: a film cannot be read.
    """
    found = []
    for movie in sorted(each for each in folder.iterdir() if each.suffix in cases.MOVIES):
        place = cases.truth_of(movie)
        if place is None:
            continue
        known = truth.load(place[0], camera=place[1], person=None)
        width, height = probe(str(movie)).size_px
        focal_px = USUAL_FOCAL * float(np.hypot(width, height))
        camera = Camera(focal_px, np.array([(width - 1) / 2, (height - 1) / 2]), (width, height))
        people = _people(movie, kept / f"{movie.stem}.npz", report)
        hidden = _hidden(known, movie)
        found.append(Film(movie.stem, people, camera, known, hidden))
    if not found:
        raise TruthFileError(f"{folder} has no film with a truth", hint="Give another folder.")
    return found


def tried(chains: Sequence[Chain], film: Film, bench: Bench) -> list[Filmed]:
    """Every chain on a film, behind the detector."""
    person = whom(film)
    limbs = person.landmarks3d[:, _LIMBS].astype(np.float64)
    rows = [_filmed(DETECTOR, limbs, person.times_s, film, found=None)]
    made = {}
    for chain in chains:
        estimate, _ = bench.made(chain.steps, film.people, film.camera, made)
        (motion,) = [each for each in estimate.motions if each.person == person.person]
        found = judge(motion, estimate.camera, film.truth, body=bench.soles, hidden=film.hidden)
        limbs = bench.soles.of_motion(motion)[0][:, _JOINTS]
        rows.append(_filmed(chain.name, limbs, motion.times_s, film, found=means(found)))
    return rows


def whom(film: Film) -> Person:
    """Whoever is nearest to the truth in the picture."""
    goal = film.truth.limbs_px()

    def miss(person: Person) -> float:
        seen = on_truth_frames(person.keypoints[:, _LIMBS, :2], person.times_s, film.truth)
        apart = np.linalg.norm(seen - goal, axis=-1)[np.isfinite(goal[..., 0])]
        return float(np.nan_to_num(apart, nan=film.camera.size_px[1]).mean())

    return min(film.people, key=miss)


def _filmed(
    name: str, limbs: np.ndarray, times_s: np.ndarray, film: Film, *, found: Means | None
) -> Filmed:
    """The row of limb joints (N, 12, 3), metres, at times (N,)."""
    placed = on_truth_frames(limbs, times_s, film.truth)
    known = film.truth.valid & np.isfinite(placed).all(axis=-1)
    known &= (known.sum(axis=1) >= MIN_PROCRUSTES_POINTS)[:, None]
    goal = film.truth.limbs_camera
    aligned = procrustes(np.where(known[..., None], placed, 0.0), goal, valid=known)
    apart = np.where(known, np.linalg.norm(aligned - goal, axis=-1), np.nan) * _MM
    spell = film.hidden[:, LEGS].any(axis=1)
    curve = np.array([_mean(each) for each in apart[:, LEGS]])
    return Filmed(film.name, name, found, _mean(apart), _mean(apart[spell][:, LEGS]), curve)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _people(movie: Path, kept: Path, report: Report) -> tuple[Person, ...]:
    if kept.is_file():
        return observations.unpacked(npz_file.read(kept, error=AssetCorrupt)).people
    cast = follow(
        read_frames(Clip(str(movie))),
        detector=BlazePose(threads=1),
        report=report,
        expected_frames=probe(str(movie)).frame_count,
    )
    kept.parent.mkdir(parents=True, exist_ok=True)
    npz_file.write(kept, observations.packed(cast), error=AssetCorrupt)
    return cast.people


def _hidden(known: Truth, movie: Path) -> np.ndarray:
    """(T, 12) bool, which limb joints are where something was drawn into a film."""
    hidden = np.zeros(known.valid.shape, dtype=bool)
    path, places = movie.with_name(BOXES), known.limbs_px()
    if not path.is_file():
        return hidden
    for name, box in json.loads(path.read_text(encoding="utf-8")).items():
        film, _, frame = name.partition(":")
        if film != movie.stem.replace("_occluded", ""):
            continue
        row, (x0, y0, x1, y1) = int(frame), box
        if row < len(hidden) and "_occluded" in movie.stem:
            x, y = places[row, :, 0], places[row, :, 1]
            hidden[row] = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    return hidden
