"""The floor of a capture: a grid of metres at height 0, under the people who were refined on it."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

AROUND_M = 1.0
LARGEST_M = 50.0  # from the middle; beyond, somebody is lost and no grid helps


def build(
    name: str, places: Sequence[np.ndarray], *, collection: bpy.types.Collection
) -> bpy.types.Object:
    """A grid of lines, a metre apart, around the people's `places` (T, 3), metres, world axes.

    It is in no render, and cannot be selected by accident.
    """
    spots = np.concatenate(places)[:, :2]
    middle = np.round(np.median(spots, axis=0))
    low = np.maximum(np.floor(spots.min(axis=0) - AROUND_M), middle - LARGEST_M)
    high = np.minimum(np.ceil(spots.max(axis=0) + AROUND_M), middle + LARGEST_M)
    mesh = bpy.data.meshes.new(name)
    vertices = _lines(low, high)
    mesh.from_pydata(vertices.tolist(), [(k, k + 1) for k in range(0, len(vertices), 2)], [])
    floor = bpy.data.objects.new(name, mesh)
    floor.hide_render = floor.hide_select = True
    collection.objects.link(floor)
    return floor


def _lines(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(2 L, 3) both ends of each line."""
    across = [((x, low[1], 0), (x, high[1], 0)) for x in np.arange(low[0], high[0] + 0.5)]
    along = [((low[0], y, 0), (high[0], y, 0)) for y in np.arange(low[1], high[1] + 0.5)]
    return np.array([*across, *along], dtype=np.float64).reshape(-1, 3)
