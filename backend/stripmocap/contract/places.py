"""Where both sides look for each other: the data folder, the bodies and a note in it.

The note is `backend.json` in the data folder, written by `make` for the Blender of the same user.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from . import private_file

NOTE = "backend.json"
BODIES = "bodies"


def data_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where jobs, uploads, kept steps and logs are by default; it may not exist yet."""
    chosen = environment.get("STRIPMOCAP_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    home = Path.home()
    if sys.platform == "win32":
        root = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = home / "Library" / "Application Support"
    else:
        root = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return root / "stripmocap"


def bodies_folder(data: Path | None = None) -> Path:
    """Where the user's body files are; it may not exist yet."""
    return (data or data_folder()) / BODIES


def note_python(data: Path | None = None) -> None:
    """Notes in the data folder that this Python has the backend.

    Raises:
        DiskFull, ServiceError: the note cannot be written.
    """
    folder = data or data_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise private_file.refused(folder, error) from error
    private_file.write(folder / NOTE, json.dumps({"python": sys.executable}) + "\n")


def noted_python(data: Path) -> Path | None:
    """The Python that was noted last in the folder `data`; None if none was, or it is damaged.

    Raises:
        ServiceError: the note cannot be read.
    """
    try:
        said: Any = json.loads(private_file.read(data / NOTE) or "null")
    except json.JSONDecodeError:
        return None
    values = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    python = values.get("python")
    return Path(python) if isinstance(python, str) and python else None
