"""A capture by several methods: what each is handed, which takes are kept, what is made again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from movies import write_movie
from standins import SIZE, request, silent, stand_in
from stripmocap import assets, pipeline, provenance
from stripmocap.contract.camera_path import CameraPath
from stripmocap.contract.errors import AssetMissing, Cancelled
from stripmocap.contract.methods import HumorOptions, SmplifyOptions, SpinOptions, VibeOptions
from stripmocap.methods.toolbox import Estimate
from stripmocap.steps import StepStore
from toyshot import toy_camera, toy_motion

REFINED = {"estimator": "spin", "options": SpinOptions(), "refiners": ("smplify",)}


@pytest.fixture
def calls(tmp_path, monkeypatch) -> list[tuple]:
    """What the methods were called with, in order: (method, what it started from, clip)."""
    stand_in(monkeypatch, tmp_path / "network")
    made = []

    def loader(key: str, seed: int):
        def load(tools, options):
            def estimate(people, camera, report, *, start, clip, publish, journal):
                made.append((key, start, clip, options, tools.network))
                found = Estimate(
                    replace(toy_camera(), focal_px=100.0 + seed, path=camera.path),
                    (toy_motion(0, frames=2, fps=30, seed=seed),),
                    notes=("Nobody stands.", f"It was {key}."),
                )
                if publish is not None:
                    publish(found)
                return found

            return estimate

        return load

    keys = ("spin", "smplify", "vibe", "humor")
    table = {key: loader(key, seed) for seed, key in enumerate(keys, 1)}
    monkeypatch.setattr(
        pipeline,
        "ESTIMATORS",
        {key: {"embedded": load, "official": load} for key, load in table.items()},
    )
    return made


@pytest.fixture
def footage(tmp_path) -> Path:
    return write_movie(tmp_path / "walk.mp4", size=SIZE, frames=6)


@pytest.fixture
def store(tmp_path) -> StepStore:
    return StepStore(tmp_path / "cache", limit_bytes=2**24)


def capture(asked, store=None, publish=None):
    return pipeline.Workshop().capture(asked, report=silent, steps=store, publish=publish)


def keys(calls) -> list[str]:
    return [each[0] for each in calls]


def test_a_refiner_starts_from_what_the_estimator_made_and_both_are_kept(calls, footage):
    found = capture(request(footage, **REFINED))

    (_, before, clip, _, network), (_, start, _, _, none) = calls
    assert keys(calls) == ["spin", "smplify"]
    assert before is None
    assert start.motions[0] is found.take("frame").motions[0]
    assert clip.path == str(footage)
    assert network is not None
    assert none is None
    assert [each.label for each in found.takes] == ["frame", "fitted"]
    assert found.camera.focal_px == 102.0  # with the ground that the last one found


def test_an_estimator_alone_makes_one_take(calls, footage):
    found = capture(request(footage, **{**REFINED, "refiners": ()}))

    assert keys(calls) == ["spin"]
    assert [each.label for each in found.takes] == ["frame"]


def test_each_method_is_loaded_with_its_own_options(calls, footage):
    options = SmplifyOptions(smoothness=3)

    capture(request(footage, **REFINED, refiner_options=(options,)))

    assert [each[3] for each in calls] == [SpinOptions(), options]


def test_other_options_of_the_refiner_leave_the_frames_as_they_are(calls, footage, store):
    capture(request(footage, **REFINED), store)
    calls.clear()

    capture(request(footage, **REFINED, refiner_options=(SmplifyOptions(smoothness=2),)), store)

    assert keys(calls) == ["smplify"]


def test_frames_that_were_made_alone_are_there_for_a_refiner(calls, footage, store):
    capture(request(footage, **{**REFINED, "refiners": ()}), store)
    calls.clear()

    found = capture(request(footage, **REFINED), store)

    assert keys(calls) == ["smplify"]
    assert [each.label for each in found.takes] == ["frame", "fitted"]


def test_a_fit_from_the_usual_start_is_not_taken_for_one_from_an_estimate(calls, footage, store):
    capture(request(footage), store)
    capture(request(footage, **REFINED), store)

    assert keys(calls) == ["smplify", "spin", "smplify"]


def test_poses_over_time_are_a_take_of_their_own_that_a_fit_starts_from(calls, footage, store):
    found = capture(request(footage, estimator="vibe", refiners=("smplify",)), store)

    (_, _, _, options, _), (_, start, *_) = calls
    assert keys(calls) == ["vibe", "smplify"]
    assert options == VibeOptions()
    assert [each.label for each in found.takes] == ["temporal", "fitted"]
    assert start.motions[0] is found.take("temporal").motions[0]

    calls.clear()
    capture(request(footage, estimator="vibe"), store)
    capture(request(footage, estimator="vibe", options=VibeOptions(smooth=1.0)), store)

    assert keys(calls) == ["vibe"]  # once more, with the filter


THREE = {"estimator": "vibe", "refiners": ("smplify", "humor")}


def test_motion_is_refined_from_the_fit_of_what_was_posed_over_time(calls, footage):
    found = capture(request(footage, **THREE))

    assert keys(calls) == ["vibe", "smplify", "humor"]
    assert [each.label for each in found.takes] == ["temporal", "fitted", "refined"]
    assert found.best.label == "refined"
    starts = [start for _, start, *_ in calls]
    assert starts[0] is None
    assert starts[1].motions[0] is found.take("temporal").motions[0]
    assert starts[2].motions[0] is found.take("fitted").motions[0]


def test_other_options_of_the_last_refiner_repeat_it_alone(calls, footage, store):
    capture(request(footage, **THREE), store)
    calls.clear()

    capture(request(footage, **THREE, refiner_options=(None, HumorOptions(contacts=2))), store)
    capture(request(footage, estimator="vibe", refiners=("humor",)), store)

    assert keys(calls) == ["humor", "humor"]
    assert [each[3] for each in calls] == [HumorOptions(contacts=2), HumorOptions()]


def test_other_options_of_the_fit_between_repeat_what_is_behind_it(calls, footage, store):
    capture(request(footage, **THREE), store)
    calls.clear()

    capture(request(footage, **THREE, refiner_options=(SmplifyOptions(smoothness=2),)), store)

    assert keys(calls) == ["smplify", "humor"]


def test_another_version_of_refining_repeats_it_alone(calls, footage, store, monkeypatch):
    capture(request(footage, **THREE), store)
    calls.clear()

    monkeypatch.setattr(provenance, "REFINE_CODE", 99)
    capture(request(footage, **THREE), store)

    assert keys(calls) == ["humor"]


def test_only_the_papers_solver_is_handed_all_networks(footage, calls, monkeypatch):
    handed = []

    def load(tools, options):
        handed.append((options.solver, set(tools.networks)))
        return whole["vibe"]["embedded"](tools, options)

    whole = pipeline.ESTIMATORS
    monkeypatch.setattr(pipeline, "ESTIMATORS", {**whole, "humor": {"embedded": load}})
    for solver in ("fast", "paper"):
        options = (None, HumorOptions(solver=solver))
        capture(request(footage, **THREE, refiner_options=options))

    assert handed == [
        ("fast", {"humor_embedded", "humor_start_embedded"}),
        ("paper", {"humor_embedded", "humor_pose_embedded", "humor_start_embedded"}),
    ]


def test_a_capture_that_ends_in_the_last_step_has_kept_those_before_it(
    calls, footage, store, monkeypatch
):
    def load(tools, options):
        def estimate(people, camera, report, **_):
            raise Cancelled("the job was cancelled")

        return estimate

    whole = pipeline.ESTIMATORS
    monkeypatch.setattr(pipeline, "ESTIMATORS", {**whole, "humor": {"embedded": load}})
    with pytest.raises(Cancelled):
        capture(request(footage, **THREE), store)
    calls.clear()

    monkeypatch.setattr(pipeline, "ESTIMATORS", whole)
    found = capture(request(footage, **THREE), store)

    assert keys(calls) == ["humor"]
    assert [each.label for each in found.takes] == ["temporal", "fitted", "refined"]


def test_a_second_capture_makes_nothing(calls, footage, store):
    first = capture(request(footage, **REFINED), store)
    calls.clear()

    second = capture(request(footage, **REFINED), store)

    assert calls == []
    assert [each.label for each in second.takes] == [each.label for each in first.takes]


def test_a_published_part_has_the_finished_takes_in_front(calls, footage):
    parts = []

    capture(request(footage, **REFINED), publish=parts.append)

    assert [[each.label for each in part.takes] for part in parts] == [
        ["frame"],
        ["frame", "fitted"],
    ]
    assert all(part.provenance["partial"] for part in parts)


def test_what_each_method_noted_is_in_the_capture_once_and_kept_with_its_step(
    calls, footage, store
):
    first = capture(request(footage, **REFINED), store)
    second = capture(request(footage, **REFINED), store)

    assert first.notes == ("Nobody stands.", "It was spin.", "It was smplify.")
    assert second.notes == first.notes
    assert len(calls) == 2


def test_a_moving_camera_is_in_the_result_and_what_it_sees_is_made_anew(calls, footage, store):
    quats = [[1.0, 0.0, 0.0, 0.0]] * 2
    path = CameraPath(np.array([0.0, 1.0]), np.array([[0, 0, 1.5], [1, 0, 1.5]]), np.array(quats))
    capture(request(footage, **REFINED), store)

    found = capture(request(footage, **REFINED, camera_path=path), store)

    assert found.camera.path == path
    assert found.provenance["source"]["camera_poses"] == 2
    assert "camera_path" not in found.provenance["request"]
    assert keys(calls) == ["spin", "smplify"] * 2
    assert [each[3] for each in calls[2:]] == [SpinOptions(), SmplifyOptions(contacts=0)]


def test_provenance_names_every_method_with_its_licence(calls, footage):
    provenance = capture(request(footage, **REFINED)).provenance

    assert [each["key"] for each in provenance["methods"]] == ["spin", "smplify"]
    assert all(each["licence"] == "GPL-3.0-or-later" for each in provenance["methods"])
    assert {"spin_embedded", "pose_prior"} <= set(provenance["files"])


def test_official_weights_that_the_user_should_bring_are_asked_for_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIPMOCAP_CACHE", str(tmp_path / "cache"))
    footage = write_movie(tmp_path / "walk.mp4", size=SIZE, frames=3)
    asked = request(footage, estimator="spin", options=SpinOptions(), weights="official")

    with pytest.raises(AssetMissing, match=r"SMPL_NEUTRAL") as refused:
        pipeline.capture(asked, report=silent)

    assert str(assets.cache_folder()) in refused.value.hint
