"""What a capture needs, and whether this machine has it: nothing is fetched or changed."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

from . import assets, settings
from .contract import bodies, body_file, places
from .contract.errors import BodyFileError

PYTHONS = ((3, 11), (3, 13))
MIN_FREE_MB = 500
_PACKAGES = (
    *("numpy", "scipy", "cv2", "ai_edge_litert", "roma", "safetensors", "tqdm"),
    *("fastapi", "uvicorn", "psutil"),
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    state: Literal["ok", "note", "problem"]
    text: str
    advice: str = ""


def examine() -> list[Finding]:
    """Everything, in the order in which a person would put it right."""
    return [
        _python(),
        _torch(),
        *_packages(),
        _ffmpeg(),
        _body(),
        _body_models(),
        *(_asset(each) for each in assets.status()),
        _folder("cache folder", assets.cache_folder(), variable="STRIPMOCAP_CACHE"),
        _folder("data folder", settings.data_folder(), variable="STRIPMOCAP_DATA"),
        _temporary(),
    ]


def _python() -> Finding:
    version = sys.version_info[:2]
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    text += f", {os.cpu_count()} processors, Strip Mocap {_version('stripmocap')}"
    if PYTHONS[0] <= version <= PYTHONS[1]:
        return Finding("Python", "ok", text)
    return Finding("Python", "problem", text, "Use Python 3.11, 3.12 or 3.13.")


def _torch() -> Finding:
    torch, fault = _imported("torch")
    if torch is None:
        return Finding("torch", "problem", fault, "Install the backend again.")
    text = f"{torch.__version__}, computes on the processor"
    if torch.cuda.is_available():
        text += f"; the service fits bodies on cuda ({torch.cuda.get_device_name(0)})"
    return Finding("torch", "ok", text)


def _packages() -> list[Finding]:
    faults = [(name, _imported(name)[1]) for name in _PACKAGES]
    broken = [(name, fault) for name, fault in faults if fault]
    if not broken:
        return [Finding("packages", "ok", ", ".join(_PACKAGES))]
    return [Finding(name, "problem", fault, "Install the backend again.") for name, fault in broken]


def _ffmpeg() -> Finding:
    av, fault = _imported("av")
    if av is None:
        return Finding("ffmpeg", "problem", fault, "Install the backend again.")
    libraries = ", ".join(
        f"{name} {'.'.join(map(str, version))}"
        for name, version in sorted(av.library_versions.items())
        if name in {"libavcodec", "libavformat"}
    )
    return Finding("ffmpeg", "ok", f"{libraries} (in PyAV {av.__version__})")


def _body() -> Finding:
    try:
        body = body_file.load(body_file.EMBEDDED_BODY)
    except BodyFileError as error:
        return Finding("body", "problem", error.message, error.hint)
    text = f"{body.name}, {len(body.v_template)} vertices, {body.licence}, shipped"
    return Finding("body", "ok", text)


def _body_models() -> Finding:
    folder = places.bodies_folder(settings.data_folder())
    names = bodies.names_in(folder)
    if names:
        return Finding("body models", "ok", f"{', '.join(names)}, in {folder}")
    advice = "Optional: `stripmocap convert-body FILE` makes one of an SMPL file of yours."
    return Finding("body models", "note", f"none of your own in {folder}", advice)


def _asset(status: assets.AssetStatus) -> Finding:
    asset = status.asset
    text = f"{status.state}, {asset.licence}, {asset.how}, from {asset.page}, {status.path}"
    if status.state == "ready":
        return Finding(asset.name, "ok", text)
    if status.state == "corrupt":
        return Finding(asset.name, "problem", text, "Delete the file; it is fetched again.")
    if asset.how == assets.FETCHED:
        return Finding(asset.name, "note", text, "It is fetched at the first capture.")
    if asset.how == assets.BROUGHT:
        names = " or ".join((asset.filename, *asset.other_names))
        return Finding(
            asset.name, "note", text, f"Optional: put {names} into {status.path.parent}."
        )
    return Finding(asset.name, "problem", text, "Install Strip Mocap again.")


def _folder(subject: str, folder: Path, *, variable: str) -> Finding:
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    fault = _unwritable(there)
    if fault:
        advice = f"Set {variable} to a folder that you may write to."
        return Finding(subject, "problem", f"{folder}: {fault}", advice)
    return _with_space(subject, folder, there)


def _temporary() -> Finding:
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        return Finding("temporary folder", "problem", str(error), "Set TMPDIR.")
    return _with_space("temporary folder", folder, folder)


def _with_space(subject: str, folder: Path, there: Path) -> Finding:
    free = shutil.disk_usage(there).free // 2**20
    text = f"{folder}, {free} MB free"
    if free < MIN_FREE_MB:
        return Finding(subject, "note", text, f"Free some space; {MIN_FREE_MB} MB is comfortable.")
    return Finding(subject, "ok", text)


def _unwritable(folder: Path) -> str:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".stripmocap."):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _imported(name: str) -> tuple[ModuleType | None, str]:
    """The module called `name`, or None and why not."""
    try:
        return importlib.import_module(name), ""
    except (ImportError, OSError, RuntimeError) as error:  # a library of the system may be missing
        return None, f"{name} cannot be loaded ({error})"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "from source"
