"""What the tests of the command line share: a toy body, footage of nobody, and a capture of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from stripmocap import pipeline
from stripmocap.contract import body_file, result_file
from stripmocap.contract.messages import CaptureRequest
from stripmocap.contract.motion import Camera, Capture, Motion, Take
from stripmocap.steps import StepStore
from toybody import toy_body

FPS = 25
FRAMES = 8
SIZE = (64, 48)


@pytest.fixture(autouse=True)
def small_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_file, "load", lambda path, gender="neutral": toy_body())


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPMOCAP_DATA", str(tmp_path / "data"))


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    path = tmp_path / "my clip's.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for number in range(FRAMES):
            image = np.full((SIZE[1], SIZE[0], 3), 20 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def motion_of(person: int, x: float = 0.0) -> Motion:
    return Motion(
        person=person,
        times_s=np.arange(FRAMES) / FPS,
        global_orient=np.tile([np.pi, 0.0, 0.0], (FRAMES, 1)),
        body_pose=np.zeros((FRAMES, 23, 3)),
        betas=np.zeros(10),
        transl=np.tile([x, -0.95, 4.0], (FRAMES, 1)),
        confidence=np.full(FRAMES, 0.9),
    )


def capture_of(request: CaptureRequest, *motions: Motion) -> Capture:
    camera = Camera(focal_px=80.0, center_px=np.array([31.5, 23.5]), size_px=SIZE)
    return Capture(
        camera=camera,
        takes=(Take("fitted", motions or (motion_of(0),)),),
        provenance={"request": request.to_json()},
    )


@pytest.fixture
def made_capture(footage: Path, tmp_path: Path) -> Callable[..., Path]:
    """Writes a capture of `footage` with people at these places (x, metres); its path."""

    def make(*places: float) -> Path:
        path = tmp_path / "made.npz"
        request = CaptureRequest.from_json({"clip": {"path": str(footage)}})
        motions = [motion_of(person, x) for person, x in enumerate(places)]
        result_file.save(capture_of(request, *motions), path)
        return path

    return make


@pytest.fixture
def stores() -> list[StepStore | None]:
    """Where each capture that was `asked` for was to keep its steps."""
    return []


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, stores: list[StepStore | None]) -> list[CaptureRequest]:
    """What the pipeline was asked for; it answers at once."""
    requests: list[CaptureRequest] = []

    def capture(
        request: CaptureRequest, *, report: pipeline.Report, steps: StepStore | None = None
    ) -> Capture:
        requests.append(request)
        stores.append(steps)
        report("find", 1, 2)
        report("fit", 2, 2)
        return capture_of(request)

    monkeypatch.setattr(pipeline, "capture", capture)
    return requests
