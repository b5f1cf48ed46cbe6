"""People who are not learnt from: whole shots of a split, and how far a network is from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..methods.features.keypoints import View
from ..methods.hmr.regressor import Regressed
from .hmr import errors
from .mocap import Clips
from .shots import shots
from .synthetic import LandmarkBody, Samples

SEED = 7
FRAME_STEP = 3  # 30 fps -> 10 fps: neighbours say the same


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Frames of shots, each with what is done in it."""

    samples: Samples
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, clips: Clips, body: LandmarkBody, *, seed: int = SEED) -> HeldOut:
        """One shot of each clip, always the same."""
        parts: list[Samples] = []
        kinds: list[str] = []
        for shot in shots(clips, body, seed=seed):
            parts.append(shot.samples[slice(None, None, FRAME_STEP)])
            kinds += [shot.kind] * len(parts[-1])
        together = {
            each.name: torch.cat([getattr(part, each.name) for part in parts])
            for each in fields(Samples)
        }
        return cls(Samples(**together), tuple(kinds))


@dataclass(frozen=True)
class KindErrors:
    """Mean errors over the frames of a kind of motion, millimetres."""

    kind: str
    frames: int
    pa_mpjpe_mm: float
    mpjpe_mm: float


def judged(
    network: Callable[[View], Regressed], held_out: HeldOut, *, body: LandmarkBody
) -> list[KindErrors]:
    """The errors over all frames, then by kind of motion, the commonest first."""
    found = errors(network, held_out.samples, body=body)
    everything = torch.ones(len(held_out.kinds), dtype=torch.bool)
    rows = [_row("all", everything, found)]
    for kind in set(held_out.kinds):
        mine = torch.tensor([each == kind for each in held_out.kinds])
        rows.append(_row(kind, mine, found))
    return sorted(rows, key=lambda row: (-row.frames, row.kind))


def _row(kind: str, mine: Tensor, found: dict[str, Tensor]) -> KindErrors:
    return KindErrors(
        kind,
        frames=int(mine.sum()),
        pa_mpjpe_mm=float(found["PA-MPJPE mm"][mine].mean()),
        mpjpe_mm=float(found["MPJPE mm"][mine].mean()),
    )
