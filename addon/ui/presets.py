"""How much to put into a capture: each preset with the methods that it runs."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract import jobs, methods

FAST_S = 10.0  # seconds of each strip that a fast look captures


@dataclass(frozen=True)
class Preset:
    """One choice in the panel."""

    key: str
    label: str
    says: str  # what it does, in a sentence without its full stop
    runs: tuple[str, ...]  # keys of the service's methods, the estimator first
    at_most_s: float | None = None  # of each strip, from its start
    weights: str = "embedded"  # that the methods run on


PRESETS = {
    each.key: each
    for each in (
        Preset(
            "FAST",
            "Fast Look",
            f"The first {FAST_S:.0f} seconds of each strip, posed over time at once: feet slide, "
            "and it shows whether it works",
            runs=("vibe",),
            at_most_s=FAST_S,
        ),
        Preset(
            "BALANCED",
            "Balanced",
            "The whole strip, posed over time and refined by how people move: feet stay put",
            runs=methods.USUAL,
        ),
        Preset(
            "BEST",
            "Best",
            "The whole strip, posed, fitted to what is seen and refined: takes half as long again",
            runs=("vibe", "smplify", "humor"),
        ),
    )
}


def lacks(preset: Preset, health: jobs.Health | None) -> str:
    """Why a preset cannot run; empty if it can, or if nobody knows better yet.

    It is said in sentences, the last without its full stop.
    """
    for key in preset.runs:
        if key not in methods.METHODS:
            return f"{preset.label} needs the method {key}, which this version does not have"
    if health is None:
        return ""
    known = {each.key: each for each in health.methods if each.weights == preset.weights}
    for key in preset.runs:
        if key not in known:
            return f"{preset.label} needs {key}, which the service does not have"
        if not known[key].ready:
            said = " ".join(known[key].lacks).rstrip(".")
            return said or f"{known[key].label} is not ready on the service"
    return ""
