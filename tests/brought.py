"""Files as users bring them, of random numbers, in the forms of their authors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stripmocap import assets, lookout
from stripmocap.body.official import VERTEX_COUNT
from stripmocap.contract.skeleton import JOINT_COUNT, PARENTS


def smpl() -> dict[str, np.ndarray]:
    """A cloud of points on SMPL's skeleton, two metres tall."""
    rng = np.random.default_rng(0)
    weights = np.eye(JOINT_COUNT)[np.arange(VERTEX_COUNT) % JOINT_COUNT]
    parents = np.array([2**32 - 1, *PARENTS[1:]])
    return {
        "v_template": rng.uniform(-1, 1, size=(VERTEX_COUNT, 3)),
        "shapedirs": 0.01 * rng.normal(size=(VERTEX_COUNT, 3, 10)),
        "posedirs": np.zeros((VERTEX_COUNT, 3, 207)),
        "J_regressor": (weights / weights.sum(axis=0)).T,
        "weights": weights,
        "f": np.array([[0, 1, 2]], dtype=np.uint32),
        "kintree_table": np.stack([parents, np.arange(JOINT_COUNT)]),
    }


def put_to_use(
    folder: Path, *, follow: Callable[..., Any], eyes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are those of `folder`; the detector alone is a stand-in, of a file `eyes`."""
    locate = assets.locate
    eyes.write_bytes(b"eyes")
    monkeypatch.setenv("STRIPMOCAP_CACHE", str(folder))
    monkeypatch.setattr(
        assets, "locate", lambda name: eyes if name.startswith("blazepose") else locate(name)
    )
    monkeypatch.setattr(lookout, "BlazePose", lambda: None)
    monkeypatch.setattr(lookout, "follow", follow)
