"""The methods that the contract lists, by key and weights (a house test holds the tables equal)."""

from __future__ import annotations

from .hmr import estimate
from .humor import refine
from .smplify import fit
from .vibe import estimate as vibe

ESTIMATORS = {
    "smplify": {"embedded": fit.load, "official": fit.load},
    "spin": {"embedded": estimate.load, "official": estimate.load_official},
    "vibe": {"embedded": vibe.load, "official": vibe.load_official},
    "humor": {"embedded": refine.load, "official": refine.load_official},
}
