"""A workshop: what stays loaded, what is kept between captures, what happens without memory."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import pytest
import torch
from movies import write_movie
from numpy.testing import assert_array_equal
from standins import SIZE, cast, person, request, silent, stand_in
from stripmocap import assets, lookout, pipeline, provenance
from stripmocap.contract.errors import Cancelled, DeviceOutOfMemory, NobodyFound
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import SmplifyOptions
from stripmocap.contract.motion import Capture
from stripmocap.steps import StepStore


@pytest.fixture
def asked(tmp_path, monkeypatch) -> dict:
    """What the stand-ins were asked: `expected_frames`, `camera` and `tools`."""
    return stand_in(monkeypatch, tmp_path / "network")


@pytest.fixture
def footage(tmp_path) -> Path:
    return write_movie(tmp_path / "walk.mp4", size=SIZE, frames=10)


@pytest.fixture
def store(tmp_path) -> StepStore:
    return StepStore(tmp_path / "cache", limit_bytes=2**24)


@pytest.fixture
def made(asked, monkeypatch) -> list[str]:
    """The steps that had to be made, in order."""
    steps = []
    follow, load = lookout.follow, pipeline.ESTIMATORS["smplify"]["embedded"]

    def counted_follow(*arguments, **named):
        steps.append("people")
        return follow(*arguments, **named)

    def counted_load(tools, options):
        steps.append("load")
        estimate = load(tools, options)

        def counted(*arguments, **named):
            steps.append("fit")
            return estimate(*arguments, **named)

        return counted

    monkeypatch.setattr(lookout, "follow", counted_follow)
    monkeypatch.setattr(pipeline, "ESTIMATORS", {"smplify": {"embedded": counted_load}})
    return steps


def capture(request: CaptureRequest, store: StepStore | None, **changes) -> Capture:
    return pipeline.Workshop().capture(request, report=silent, steps=store, **changes)


def test_a_second_capture_makes_nothing_and_is_the_same(made, footage, store):
    first = capture(request(footage), store)
    made.clear()

    second = capture(request(footage), store)

    assert set(made) <= {"load"}
    assert second.provenance == first.provenance
    assert second.camera.focal_px == first.camera.focal_px
    assert_array_equal(second.camera.world_from_camera, first.camera.world_from_camera)
    for one, other in zip(first.takes[0].motions, second.takes[0].motions, strict=True):
        for name, value in vars(one).items():
            assert_array_equal(value, getattr(other, name))


@pytest.mark.parametrize(
    "changes",
    [
        {"options": SmplifyOptions(smoothness=2)},
        {"body": "female"},
        {"height_m": 1.7},
        {"focal_px": 99.0},
    ],
)
def test_what_only_the_fit_reads_makes_only_the_fit_again(made, footage, store, changes):
    capture(request(footage), store)
    made.clear()

    result = capture(request(footage, **changes), store)

    assert [each for each in made if each != "load"] == ["fit"]
    assert result.provenance["request"] == request(footage, **changes).told()


def test_a_focal_length_that_is_the_usual_one_is_no_other(made, footage, store):
    capture(request(footage), store)
    made.clear()

    capture(request(footage, focal_px=pipeline.USUAL_FOCAL * math.hypot(*SIZE)), store)

    assert "fit" not in made


def test_another_window_of_the_fit_is_another_fit(made, footage, store):
    capture(request(footage), store)
    made.clear()

    capture(request(footage), store, small=True)

    assert [each for each in made if each != "load"] == ["fit"]


@pytest.mark.parametrize("span", [{"start_s": 0.1}, {"stop_s": 0.2}])
def test_another_span_makes_everything_again(made, footage, store, span):
    capture(request(footage), store)
    made.clear()

    capture(CaptureRequest(Clip(str(footage), **span)), store)

    assert [each for each in made if each != "load"] == ["people", "fit"]


@pytest.mark.parametrize("code", ["PEOPLE_CODE", "FIT_CODE"])
def test_another_version_of_a_step_makes_it_again(made, footage, store, code, monkeypatch):
    capture(request(footage), store)
    made.clear()

    monkeypatch.setattr(provenance, code, 99)
    capture(request(footage), store)

    again = ["fit"] if code == "FIT_CODE" else ["people", "fit"]
    assert [each for each in made if each != "load"] == again


def test_other_weights_make_their_steps_again(made, footage, store, tmp_path, monkeypatch):
    capture(request(footage), store)
    made.clear()
    other = tmp_path / "other"
    other.write_bytes(b"other weights")
    locate = assets.locate

    def located(name: str) -> Path:
        return other if name == "pose_prior" else locate(name)

    monkeypatch.setattr(assets, "locate", located)

    capture(request(footage), store)

    assert [each for each in made if each != "load"] == ["fit"]


def test_other_footage_of_the_same_name_is_seen_anew(made, footage, store):
    capture(request(footage), store)
    made.clear()

    write_movie(footage, size=SIZE, frames=8)
    capture(request(footage), store)

    assert [each for each in made if each != "load"] == ["people", "fit"]


def test_one_picture_more_makes_a_sequence_another_one(made, tmp_path, store):
    folder = tmp_path / "shot"
    folder.mkdir()
    for number in range(1, 5):
        write_movie(folder / f"{number}.png", size=SIZE, frames=1, codec="png", pix_fmt="rgb24")
    capture(request(folder / "1.png"), store)
    made.clear()

    capture(request(folder / "2.png"), store)
    assert "people" not in made  # the same sequence, named by another of its pictures

    (folder / "4.png").rename(folder / "5.png")
    capture(request(folder / "1.png"), store)
    assert "people" in made


def test_nobody_is_found_twice_without_looking_twice(made, footage, store, monkeypatch):
    looked = []
    monkeypatch.setattr(lookout, "follow", lambda frames, **_: looked.append(1) or cast())

    for _ in range(2):
        with pytest.raises(NobodyFound):
            capture(request(footage), store)

    assert looked == [1]


def test_without_a_store_nothing_is_read_for_it(made, footage):
    stages = []
    pipeline.capture(request(footage), report=lambda stage, *_: stages.append(stage))

    assert "check" not in stages
    assert set(stages) <= set(pipeline.STAGES)


def test_a_workshop_loads_a_method_once_for_what_it_depends_on(made, footage):
    workshop = pipeline.Workshop()
    for changes in ({}, {}, {"focal_px": 99.0}, {"height_m": 1.7}, {}):
        workshop.capture(request(footage, **changes), report=silent)

    assert made.count("load") == 2


@pytest.mark.parametrize(
    "trouble",
    [
        MemoryError("Unable to allocate 3.0 GiB"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.0 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 3 bytes"),
    ],
)
def test_too_little_memory_is_said_with_numbers_and_advice(made, footage, monkeypatch, trouble):
    def follow(*_, **__):
        raise trouble

    workshop = pipeline.Workshop()
    workshop.capture(request(footage), report=silent)
    with monkeypatch.context() as patch:
        patch.setattr(lookout, "follow", follow)
        with pytest.raises(DeviceOutOfMemory, match="MB free") as refused:
            workshop.capture(request(footage), report=silent)
    made.clear()

    workshop.capture(request(footage), report=silent)

    assert refused.value.hint
    assert "allocate" not in refused.value.message  # the log has the allocator's own words
    assert refused.value.__context__ is None  # whose traceback would hold on to the memory
    assert made == ["load", "people", "fit"]  # what was loaded had been let go


def test_another_error_is_not_taken_for_too_little_memory(made, footage, monkeypatch):
    def follow(*_, **__):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(lookout, "follow", follow)

    with pytest.raises(RuntimeError, match="shapes"):
        pipeline.capture(request(footage), report=silent)


def test_what_a_stopped_run_has_seen_is_not_looked_at_again(footage, store, asked, monkeypatch):
    asked_for = []

    class Eyes:
        def detect(self, image):
            asked_for.append(image.shape)
            return []

    def follow(frames, *, detector, report, expected_frames, watch=None):
        for number, frame in enumerate(frames):
            report("people", number, expected_frames)
            detector.detect(frame.image)
        return cast(person([0.0, 0.1]))

    def stop(stage, done, of):
        if stage == "people" and done == 6:
            raise Cancelled("stopped")

    monkeypatch.setattr(lookout, "BlazePose", Eyes)
    monkeypatch.setattr(lookout, "follow", follow)
    with pytest.raises(Cancelled):
        pipeline.Workshop().capture(request(footage), report=stop, steps=store)
    assert len(asked_for) == 6

    capture(request(footage), store)

    assert len(asked_for) == 10
    assert store.status().entries == {"fit": 1, "people": 1}


def test_work_in_progress_that_does_not_fit_is_started_over(footage, store, asked, monkeypatch):
    class Eyes:
        def detect(self, image):
            return []

    def follow(frames, *, detector, report, expected_frames, watch=None):
        for number, frame in enumerate(frames):
            detector.detect(frame.image[: len(crop)] if number == 1 else frame.image)
            report("people", number + 1, expected_frames)
        return cast(person([0.0, 0.1]))

    def stop(stage, done, of):
        if stage == "people" and done == 6:
            raise Cancelled("stopped")

    monkeypatch.setattr(lookout, "BlazePose", Eyes)
    monkeypatch.setattr(lookout, "follow", follow)
    crop = range(10)
    with pytest.raises(Cancelled):
        pipeline.Workshop().capture(request(footage), report=stop, steps=store)
    crop = range(20)

    assert capture(request(footage), store).takes
    assert store.status().entries == {"fit": 1, "people": 1}


def test_a_cancel_is_heard_while_footage_is_checked(footage, store, asked):
    def stop(stage, done, of):
        if stage == "check":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        pipeline.Workshop().capture(request(footage), report=stop, steps=store)


def test_a_cancel_is_heard_while_networks_are_fetched(footage, asked, monkeypatch):
    fetched = threading.Event()
    monkeypatch.setattr(assets, "locate", lambda _: fetched.wait(60))
    told = []

    def stop(*now):
        told.append(now)
        if len(told) == 4:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        pipeline.capture(request(footage), report=stop)

    assert set(told) == {("load", 0, 1)}
    fetched.set()
