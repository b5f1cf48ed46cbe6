"""A moving camera's path, as it lies in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..contract.camera_path import CameraPath, path_from_json
from ..contract.errors import RequestError

MOST_BYTES = 2**22


def path_in(file: Path) -> CameraPath:
    """The path in `file`: JSON, as `camera_path` in what a service is asked for.

    Raises:
        RequestError: the file cannot be read, or holds no path.
    """
    hint = "It is JSON with times_s, positions (x, y, z in metres) and quats (w, x, y, z)."
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise RequestError(f"{file} has more than {MOST_BYTES} bytes", hint=hint)
        values: Any = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise RequestError(f"{file} cannot be read ({error})", hint=hint) from error
    return path_from_json(values)
