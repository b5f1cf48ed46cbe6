"""The import law: who may know whom. A room may know what is on the floors below it, no more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from house.sources import imports, python_files, read

BACKEND = "backend.stripmocap"
LOWEST = {"contract"}
FLOORS = {  # each room of the backend and the rooms it may import
    "contract": LOWEST,
    "geometry": LOWEST,
    "assets": LOWEST,
    "settings": LOWEST,
    "body": LOWEST | {"geometry"},
    "video": LOWEST | {"geometry"},
    "checkpoints": LOWEST | {"assets"},
    "torch_files": LOWEST,
    "people": LOWEST | {"geometry", "video", "assets"},
}
FLOORS["bodies"] = LOWEST | {"assets", "body"}
FLOORS["methods"] = set(FLOORS) - {"bodies"}
FLOORS["steps"] = LOWEST
FLOORS["provenance"] = LOWEST | {"assets", "video"}
FLOORS["beat"] = LOWEST
FLOORS["lookout"] = LOWEST | {"beat", "people", "steps", "video"}
FLOORS["preview"] = LOWEST | {"people"}
FLOORS["shortage"] = LOWEST
FLOORS["pipeline"] = set(FLOORS)
FLOORS["figures"] = LOWEST
FLOORS["training"] = FLOORS["server"] = set(FLOORS)
FLOORS["evaluation"] = {*FLOORS, "training"} - {"server"}
FLOORS["experiments"] = {*FLOORS, "server", "training"}
FLOORS["doctor"] = {"assets", "settings", "video", "contract"}
FLOORS["progress"] = LOWEST
FLOORS["cli"] = set(FLOORS)
FLOORS["__main__"] = {"cli"}

ADDON_FLOORS = {
    "contract": set(),
    "rigging": {"contract"},
    "remote": {"contract"},
    "scene": {"contract", "rigging"},
    "ui": {"contract", "scene", "remote"},
    "registration": {"contract", "ui"},
}
BLENDER_ROOMS = {"ui", "scene", "registration"}
BLENDER = {"bpy", "bpy_extras", "bl_ui", "mathutils", "gpu", "blf", "bmesh", "idprop"}
SERVER_FLOORS = {  # each room of the server and the rooms in it that it may import
    "queue": {"durable"},
    "workers": {"durable", "queue"},
    "web": {"durable", "logs", "queue", "workers"},
    "run": None,  # everybody
}
SHARED_METHODS = {"toolbox", "catalogue", "features", "ground", "levels"}
METHODS_THAT_MAY_KNOW = {"vibe": {"hmr"}, "humor": {"smplify"}, "catalogue": None}  # None: all
NON_COMMERCIAL = {"smplx", "chumpy", "human_body_prior"}


def faults_of(path: Path, source: str) -> list[str]:
    """What the law says against the file at `path`."""
    judge = _backend_fault if path.parts[0] == "backend" else _addon_fault
    faults = []
    for each in imports(path, source):
        fault = judge(path, each.module.split("."))
        if fault:
            faults.append(f"{path}:{each.line}: {each.module}: {fault}")
    return faults


def _backend_fault(path: Path, module: list[str]) -> str | None:
    room = path.relative_to("backend/stripmocap").parts[0].removesuffix(".py")
    root = module[0]
    if root in BLENDER or root == "addon":
        return "the backend knows nothing of Blender"
    if root in NON_COMMERCIAL and path.parts[2:] != ("body", "official.py"):
        return "non-commercial software belongs to body/official.py"
    if module[:2] == ["backend", "stripmocap"]:
        module = module[1:]
    if module[0] != "stripmocap":
        if room == "contract" and root not in {"numpy", *sys.stdlib_module_names}:
            return "the contract is numpy and the standard library"
        return None
    target = module[1] if len(module) > 1 else ""
    if room in {"__init__", "contract"} and target != "contract":
        return f"{room} imports nothing of ours outside itself"
    if target not in FLOORS[room] | {room}:
        return f"{room} may not know {target}"
    if room == target == "methods":
        return _method_fault(path, module)
    return _server_fault(path, module) if room == target == "server" else None


def _server_fault(path: Path, module: list[str]) -> str | None:
    own = path.parts[3].removesuffix(".py")
    other = module[2] if len(module) > 2 else own
    known = SERVER_FLOORS.get(own, set())
    if known is None or other in {own, *known}:
        return None
    return f"the service's {own} may not know its {other}"


def _method_fault(path: Path, module: list[str]) -> str | None:
    own = path.parts[3].removesuffix(".py")
    other = module[2] if len(module) > 2 else own
    known = METHODS_THAT_MAY_KNOW.get(own, set())
    if known is None or other in {own, *SHARED_METHODS, *known}:
        return None
    return "methods do not import each other"


def _addon_fault(path: Path, module: list[str]) -> str | None:
    room = path.parts[1].removesuffix(".py")
    root = module[0]
    if root in BLENDER:
        return None if room in BLENDER_ROOMS else f"{room} does not know Blender"
    if root in {"backend", "stripmocap"}:
        if room != "contract":
            return "only addon/contract.py opens the door to the backend"
        return None if module[1:3] == ["stripmocap", "contract"] else "only the contract is shared"
    if root != "addon":
        allowed = sys.stdlib_module_names | ({"numpy"} if room != "remote" else set())
        return None if root in allowed else "the add-on has numpy and the standard library"
    target = module[1] if len(module) > 1 else ""
    if target in {"", "EXTENSION", room} or (room == "__init__" and target in ADDON_FLOORS):
        return None
    return None if target in ADDON_FLOORS[room] else f"{room} may not know {target}"


@pytest.mark.parametrize("top", ["backend", "addon"])
def test_nobody_imports_what_the_law_forbids(top):
    files = python_files(top)

    assert files
    assert [fault for path in files for fault in faults_of(path, read(path))] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("backend/stripmocap/contract/motion.py", "import torch"),
        ("backend/stripmocap/contract/motion.py", "from ..geometry import cameras"),
        ("backend/stripmocap/contract/motion.py", "from stripmocap import pipeline"),
        ("backend/stripmocap/geometry/cameras.py", "from .. import body"),
        ("backend/stripmocap/people/tracking.py", "from ..methods.smplify import fit"),
        ("backend/stripmocap/methods/hmr.py", "from .smplify import fit"),
        ("backend/stripmocap/body/model.py", "def load():\n    import smplx"),
        ("backend/stripmocap/evaluation/metrics.py", "from ..cli import main"),
        ("backend/stripmocap/pipeline.py", "import bpy"),
        ("backend/stripmocap/pipeline.py", "from .server import store"),
        ("backend/stripmocap/server/web/app.py", "from ...evaluation import metrics"),
        ("backend/stripmocap/server/queue/store.py", "from ..workers import seat"),
        ("backend/stripmocap/server/queue/store.py", "from ..web.app import make"),
        ("backend/stripmocap/server/workers/seat.py", "from .. import web"),
        ("backend/stripmocap/server/durable.py", "from .queue import store"),
        ("backend/stripmocap/steps.py", "from . import assets"),
        ("addon/rigging/axes.py", "import bpy"),
        ("addon/remote/client.py", "import numpy"),
        ("addon/remote/client.py", "import requests"),
        ("addon/scene/mesh.py", "from ..ui import panels"),
        ("addon/scene/mesh.py", "from ...backend.stripmocap.contract import motion"),
        ("addon/ui/panels.py", "import stripmocap"),
        ("addon/contract.py", "from ..backend.stripmocap import pipeline"),
        ("addon/rigging/axes.py", "from ..scene import mesh"),
    ],
)
def test_a_forbidden_import_is_found(path, source):
    assert len(faults_of(Path(path), source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("backend/stripmocap/contract/motion.py", "import json\nimport numpy as np"),
        ("backend/stripmocap/contract/motion.py", "from .arrays import checked"),
        ("backend/stripmocap/body/official.py", "import smplx"),
        ("backend/stripmocap/methods/vibe.py", "from .hmr import Regressor"),
        ("backend/stripmocap/methods/catalogue.py", "from . import smplify"),
        ("backend/stripmocap/server/workers/worker.py", "from ... import pipeline, steps"),
        ("backend/stripmocap/server/workers/seat.py", "from ..queue.store import Store"),
        ("backend/stripmocap/server/web/uploads.py", "from .. import durable"),
        ("backend/stripmocap/server/run.py", "from .web import app"),
        ("backend/stripmocap/cli.py", "from . import pipeline, evaluation"),
        ("addon/contract.py", "from ..backend.stripmocap.contract import motion"),
        ("addon/scene/mesh.py", "import bpy\nfrom ..rigging import axes\nfrom .. import EXTENSION"),
        ("addon/rigging/axes.py", "import numpy as np\nfrom ..contract import skeleton"),
    ],
)
def test_an_honest_import_is_allowed(path, source):
    assert faults_of(Path(path), source) == []
