from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.contract import camera_path, errors, methods  # noqa: E402
from stripmocap_extension.addon.scene import solved_camera, solves  # noqa: E402
from stripmocap_extension.addon.scene.strips import Shot  # noqa: E402
from stripmocap_extension.addon.ui import presets, properties  # noqa: E402

pytestmark = pytest.mark.blender

SHOT = Shot(
    strip="walk", scene="Scene", id="", path=Path("/clips/walk.mp4"), kind="movie", first_frame=1,
    last_frame=900, start_s=2.0, stop_s=32.0, frames=900, fps=Fraction(30),
)  # fmt: skip


@pytest.fixture
def chosen(addon):
    return properties.of(addon)


def test_untouched_settings_ask_for_the_contracts_defaults(chosen):
    request = properties.request(chosen, SHOT)

    assert (request.clip.path, request.clip.start_s, request.clip.stop_s) == (
        str(SHOT.path),
        2.0,
        32.0,
    )
    assert tuple(each.key for each in request.methods) == methods.USUAL
    assert request.refiner_options == (methods.HumorOptions(),)
    assert (request.body, request.height_m, request.focal_px) == ("neutral", None, None)


def test_a_preset_asks_for_the_methods_that_it_runs(chosen):
    for key, preset in presets.PRESETS.items():
        if set(preset.runs) <= set(methods.METHODS):
            chosen.preset = key

            request = properties.request(chosen, SHOT)

            assert tuple(each.key for each in request.methods) == preset.runs


def test_tuned_weights_go_to_the_fit_and_leave_the_regressor_alone(chosen, monkeypatch):
    both = replace(presets.PRESETS["BALANCED"], runs=("spin", "smplify"))
    monkeypatch.setitem(presets.PRESETS, "BALANCED", both)
    chosen.tuned, chosen.smoothness = True, 0.5

    request = properties.request(chosen, SHOT)

    assert request.options == methods.SpinOptions()
    assert request.refiner_options[0].smoothness == 0.5


def test_tuned_weights_of_a_refinement_go_to_the_refiner(chosen):
    chosen.preset, chosen.tuned = "BEST", True
    chosen.contacts, chosen.prior, chosen.touching, chosen.solver = 2.0, 0.5, 3.0, "paper"

    request = properties.request(chosen, SHOT)

    options = {each.key: request.options_of(each) for each in request.methods}
    assert options["humor"] == methods.HumorOptions(prior=0.5, contacts=3.0, solver="paper")
    assert options["smplify"].contacts == 2.0


def test_untouched_settings_refine_by_the_contracts_defaults(chosen):
    chosen.preset = "BEST"

    request = properties.request(chosen, SHOT)

    assert request.options_of(request.methods[-1]) == methods.HumorOptions()


def test_only_weights_that_a_preset_heeds_are_shown(chosen):
    shown = {}
    for key in presets.PRESETS:
        chosen.preset = key
        shown[key] = set(properties.tuned_by(chosen))

    assert shown["FAST"] == set()
    assert shown["BALANCED"] == {"prior", "touching", "solver"}
    assert shown["BEST"] == shown["BALANCED"] | {"depth_cue", "smoothness", "contacts"}


def test_a_moving_camera_gives_its_path_and_its_lens(chosen):
    path = camera_path.CameraPath(np.array([0.0]), np.zeros((1, 3)), np.array([[1.0, 0, 0, 0]]))
    filmed = solved_camera.Solved(path, focal_px=1500.0)

    request = properties.request(chosen, SHOT, filmed=filmed)

    assert (request.camera_path, request.focal_px) == (path, 1500.0)
    chosen.focal = properties.SOLVED
    with pytest.raises(errors.RequestError):  # what was chosen goes before what is known
        properties.request(chosen, SHOT, filmed=filmed)


def test_a_fast_look_is_at_the_beginning_of_the_strip(chosen):
    chosen.preset = "FAST"

    clip = properties.request(chosen, SHOT).clip

    assert (clip.start_s, clip.stop_s) == (2.0, 2.0 + presets.FAST_S)
    short = replace(SHOT, stop_s=3.0)
    assert properties.request(chosen, short).clip.stop_s == 3.0


def test_a_new_part_is_asked_for_whole_whatever_the_preset(chosen):
    chosen.preset = "FAST"

    clip = properties.request(chosen, SHOT, span=(32.0, 60.0)).clip

    assert (clip.start_s, clip.stop_s) == (32.0, 60.0)


def test_height_counts_only_when_it_is_switched_on(chosen):
    chosen.height_m = 1.9
    assert properties.request(chosen, SHOT).height_m is None

    chosen.use_height = True

    assert properties.request(chosen, SHOT).height_m == 1.9


def test_height_stays_within_what_the_contract_takes(chosen):
    chosen.use_height = True
    for wish, bound in ((0.1, methods.HEIGHT_RANGE_M[0]), (9.0, methods.HEIGHT_RANGE_M[1])):
        chosen.height_m = wish

        assert properties.request(chosen, SHOT).height_m == pytest.approx(bound)


def test_tuned_weights_count_only_when_they_are_switched_on(chosen):
    chosen.prior = 0.1
    (untouched,) = properties.request(chosen, SHOT).refiner_options
    assert untouched.prior == 1.0

    chosen.tuned = True

    (tuned,) = properties.request(chosen, SHOT).refiner_options
    assert tuned.prior == pytest.approx(0.1)


def test_a_full_frame_focal_length_becomes_pixels(chosen, monkeypatch):
    monkeypatch.setattr(solves, "width_px", lambda shot: 1920)
    chosen.focal, chosen.focal_mm = properties.VALUE, 36.0

    assert properties.request(chosen, SHOT).focal_px == pytest.approx(1920)


def test_a_focal_length_needs_the_size_of_the_picture(chosen):
    chosen.focal = properties.VALUE

    with pytest.raises(errors.RequestError, match="how wide"):
        properties.request(chosen, SHOT)


def test_a_solved_camera_that_is_not_there_is_told(chosen):
    chosen.focal = properties.SOLVED

    with pytest.raises(errors.RequestError) as caught:
        properties.request(chosen, SHOT)

    assert "solve the camera" in caught.value.hint
