"""The methods that the contract lists, by key (a house test holds the tables equal)."""

from __future__ import annotations

from .smplify import fit

ESTIMATORS = {"smplify": fit.load}
