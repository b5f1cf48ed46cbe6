from dataclasses import replace

import pytest
from stripmocap_extension.addon.contract import methods
from stripmocap_extension.addon.ui import presets
from toyjobs import HUMOR, SMPLIFY, VIBE, health


def test_every_preset_that_this_version_can_run_is_open_while_nobody_knows_better():
    open_ = [key for key, each in presets.PRESETS.items() if not presets.lacks(each, None)]

    assert open_ == ["FAST", "BALANCED", "BEST"]


def test_a_preset_with_a_method_that_this_version_has_not_says_so():
    future = replace(presets.PRESETS["BALANCED"], runs=("smplify", "telepathy"))

    assert "telepathy" in presets.lacks(future, None)


def test_the_best_is_what_the_others_do_and_then_refines_it():
    best = presets.PRESETS["BEST"]

    takes = [methods.METHODS[key].take for key in best.runs]
    assert takes[-1] == "refined"
    assert presets.lacks(best, health()) == ""


def test_without_the_motion_prior_what_refines_says_so_and_a_fast_look_is_open():
    lacking = replace(HUMOR, ready=False, lacks=("The motion prior is missing.",))
    service = replace(health(), methods=(SMPLIFY, VIBE, lacking))

    lacks = {key: presets.lacks(each, service) for key, each in presets.PRESETS.items()}

    missing = "The motion prior is missing"
    assert lacks == {"FAST": "", "BALANCED": missing, "BEST": missing}


def test_a_method_without_its_files_gives_the_services_reason():
    lacking = replace(SMPLIFY, ready=False, lacks=("The prior is missing.",))
    service = replace(health(), methods=(lacking, VIBE))

    reason = presets.lacks(presets.PRESETS["BEST"], service)

    assert reason == "The prior is missing"


def test_a_method_that_the_service_has_not_is_told():
    reason = presets.lacks(presets.PRESETS["FAST"], replace(health(), methods=()))

    assert "the service does not have" in reason


@pytest.mark.parametrize("preset", presets.PRESETS.values(), ids=presets.PRESETS)
def test_a_preset_begins_with_an_estimator(preset):
    estimator, *refiners = (methods.METHODS[k] for k in preset.runs if k in methods.METHODS)

    assert "estimator" in estimator.roles
    assert all("refiner" in each.roles for each in refiners)


def test_what_official_weights_lack_keeps_no_preset_closed():
    official = replace(VIBE, weights="official", ready=False, lacks=("Bring the files.",))
    service = replace(health(), methods=(SMPLIFY, VIBE, official))

    assert presets.lacks(presets.PRESETS["FAST"], service) == ""
