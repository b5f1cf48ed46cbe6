"""What every test shares: the checkout under the package name that Blender would give it."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

# As the command line has it: small arrays, one thread. Before anything loads torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]


def _name_the_extension() -> None:
    # The add-on uses relative imports only, so it runs under any name; the root __init__.py is
    # left out because a name, not Blender's door, is what the tests need.
    package = types.ModuleType("stripmocap_extension")
    package.__path__ = [str(ROOT)]
    sys.modules.setdefault("stripmocap_extension", package)


_name_the_extension()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference numbers and footage that is not part of the repository."""
    folder = Path(os.environ.get("STRIPMOCAP_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent (set STRIPMOCAP_SHARED)")
    return folder


@pytest.fixture(scope="session")
def blazepose():
    """The real detector, its networks fetched into the user's cache folder if need be."""
    # Blender's environments read this file too, and have neither.
    from stripmocap.contract.errors import AssetMissing
    from stripmocap.people.blazepose import BlazePose

    try:
        return BlazePose(threads=2)
    except AssetMissing as missing:
        pytest.skip(f"{missing.message}. {missing.hint}")
