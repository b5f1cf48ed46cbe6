"""The Python that has the backend: where it may be, and whether what is there can capture.

Only paths are looked at by `find`; `examine` starts the backend's own examination, which takes
seconds and belongs in the watcher's thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..contract import bodies, body_file, errors, places

EXAMINE_S = 120.0  # torch may be read from a slow disk
_OF_OTHERS = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE")


@dataclass(frozen=True)
class Finding:
    """One thing that the backend looked at on its machine."""

    subject: str
    state: str  # "ok", "note" or "problem"
    text: str
    advice: str


@dataclass(frozen=True)
class Examination:
    """Whether a Python can capture, and what was seen."""

    python: Path
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What keeps it from capturing."""
        return tuple(each for each in self.findings if each.state == "problem")


def find(chosen: Path | None, *, data: Path, checkout: Path) -> Path:
    """The Python that has the backend.

    Args:
        chosen: by the user; nothing else is looked at then.
        data: folder where `make` left its note.
        checkout: the extension's folder; in a clone of the repository the environment is there.

    Raises:
        BackendUnavailable: there is none.
    """
    if chosen is not None:
        if chosen.is_file():
            return chosen
        raise errors.BackendUnavailable(
            f"there is no Python at {chosen}",
            hint="Choose the python program of the backend's environment in the preferences.",
        )
    for python in (_in_environment(checkout / ".venv"), places.noted_python(data)):
        if python is not None and python.is_file():
            return python
    raise errors.BackendUnavailable(
        "the backend is not installed on this computer, or not where Strip Mocap looks",
        hint="Run `make demo` in a clone of Strip Mocap, or choose its Python in the preferences.",
    )


def examine(
    python: Path,
    *,
    stopping: Callable[[], bool] = lambda: False,
    timeout_s: float = EXAMINE_S,
) -> Examination:
    """What the backend in `python` says of itself and its machine.

    Raises:
        BackendUnavailable: it does not run, or there is no backend in it.
        Cancelled: `stopping` became true.
    """
    with tempfile.TemporaryDirectory(prefix="stripmocap-") as folder:
        report = Path(folder) / "doctor.json"
        _, said = _run(
            [str(python), "-m", "stripmocap", "doctor", "--json", str(report)],
            stopping=stopping,
            timeout_s=timeout_s,
        )
        try:
            values: Any = json.loads(report.read_text(encoding="utf-8"))
            findings = tuple(
                Finding(*(str(each.get(name, "")) for name in Finding.__dataclass_fields__))
                for each in values["findings"]
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _lacks_backend(python, said) from error
    return Examination(python, findings)


def convert_body(
    python: Path,
    source: Path,
    *,
    folder: Path,
    stopping: Callable[[], bool] = lambda: False,
    timeout_s: float = EXAMINE_S,
) -> Path:
    """The body file that the backend in `python` makes of an official file.

    Args:
        python: that has the backend.
        source: SMPL's .pkl or .npz.
        folder: where the body file goes; made if need be.
        stopping: whether to give up.
        timeout_s: after which it is given up.

    Raises:
        BodyFileError: the file is of another kind, or nothing can be written into `folder`.
        BackendUnavailable: the backend does not run.
        Cancelled: `stopping` became true.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
            made = Path(scratch) / "body.npz"
            command = [str(python), "-m", "stripmocap", "convert-body", str(source)]
            status, said = _run([*command, "-o", str(made)], stopping=stopping, timeout_s=timeout_s)
            if status != 0:
                raise _refusal(python, said)
            name = next(filter(None, body_file.names_in(made)))
            return made.replace(folder / bodies.file_name(name))
    except OSError as error:
        raise errors.BodyFileError(
            f"{folder} cannot be written ({error.strerror or error})",
            hint="Choose another folder for body models in the preferences.",
        ) from error


def environment() -> dict[str, str]:
    """The environment for the backend's Python: without what was set for Blender's."""
    return {name: value for name, value in os.environ.items() if name not in _OF_OTHERS}


def window_flags() -> int:
    """What keeps Windows from opening a console for a child process; 0 elsewhere."""
    return subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0


def _in_environment(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _run(command: list[str], *, stopping: Callable[[], bool], timeout_s: float) -> tuple[int, str]:
    """Exit status of `command`, and the last that it said on its standard error."""
    with tempfile.TemporaryFile() as log:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment(),
                creationflags=window_flags(),
            )
        except OSError as error:
            raise errors.BackendUnavailable(
                f"{command[0]} does not run ({error.strerror or error})",
                hint="Choose the python program of the backend's environment in the preferences.",
            ) from error
        waited_s = 0.0
        while True:
            try:
                child.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                waited_s += 0.2
            if stopping() or waited_s > timeout_s:
                child.kill()
                child.wait()
                if stopping():
                    raise errors.Cancelled("the check was stopped")
                break
        log.seek(0)
        return child.returncode, log.read()[-2000:].decode("utf-8", "replace").strip()


def _refusal(python: Path, said: str) -> errors.StripMocapError:
    """What the command line says that it could not do, as an error of ours."""
    _, found, rest = said.rpartition("Error: ")
    if not found:
        return _lacks_backend(python, said)
    message, _, hint = rest.partition("\n")
    return errors.BodyFileError(message.strip(), hint=hint.strip())


def _lacks_backend(python: Path, said: str) -> errors.BackendUnavailable:
    last = said.splitlines()[-1] if said else "it says nothing"
    if "No module named" in last and "stripmocap" in last:
        return errors.BackendUnavailable(
            f"{python} has no backend of Strip Mocap",
            hint="Choose the Python of the environment where `make` or `pip` installed it.",
        )
    return errors.BackendUnavailable(
        f"the backend in {python} does not run ({last[:200]})", hint="Install it again."
    )
