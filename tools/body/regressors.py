"""Points inside and on the body as sparse weighted means of vertices; weights sum to one."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls
from scipy.spatial import KDTree

_SUM_WEIGHT = 10.0  # metres: how firmly weights are held to sum one
_KEPT = 1e-3  # smaller weights are dropped


def fit(targets: np.ndarray, vertices: np.ndarray, *, candidates: int, ridge: float) -> np.ndarray:
    """(V,) weights >= 0 whose mean of `vertices` (N, V, 3) comes nearest to `targets` (N, 3).

    Only the `candidates` vertices nearest to the point on the average body take part. `ridge`
    (metres) spreads the weights over more of them, so that no single vertex carries a joint.
    """
    _, near = KDTree(vertices.mean(axis=0)).query(targets.mean(axis=0), k=candidates)
    near = np.sort(near)
    rows = (vertices[:, near] - targets[:, None]).transpose(0, 2, 1).reshape(-1, candidates)
    rows = rows / np.sqrt(len(targets))
    system = np.concatenate(
        [rows, np.full((1, candidates), _SUM_WEIGHT), ridge * np.eye(candidates)]
    )
    wanted = np.concatenate([np.zeros(len(rows)), [_SUM_WEIGHT], np.zeros(candidates)])
    solution = nnls(system, wanted, maxiter=60 * candidates)[0]
    weights = np.zeros(vertices.shape[1])
    weights[near] = np.where(solution < _KEPT, 0.0, solution)
    return weights / weights.sum()


def corrected(
    weights: np.ndarray, targets: np.ndarray, *, vertices: np.ndarray, candidates: int, ridge: float
) -> np.ndarray:
    """(V,) `weights` plus the smallest signed change that brings their mean onto `targets` (N, 3).

    MakeHuman's joints do not always move as the flesh around them does, so weights that may not be
    negative miss some by centimetres. The change is spread over `candidates` vertices, sum zero.
    """
    average = vertices.mean(axis=0)
    _, near = KDTree(average).query(targets.mean(axis=0), k=candidates)
    missing = targets - np.einsum("v,nvc->nc", weights, vertices)
    rows = (vertices[:, near] - targets[:, None]).transpose(0, 2, 1).reshape(-1, candidates)
    rows = np.concatenate([rows / np.sqrt(len(targets)), np.full((1, candidates), _SUM_WEIGHT)])
    wanted = np.concatenate([missing.reshape(-1) / np.sqrt(len(targets)), [0.0]])
    normal = rows.T @ rows + ridge**2 * np.eye(candidates)
    change = np.zeros_like(weights)
    change[near] = np.linalg.solve(normal, rows.T @ wanted)
    whole = weights + change
    return whole / whole.sum()


def middle(weights: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """(V,) `weights` made symmetric."""
    return 0.5 * (weights + weights[mirror])
