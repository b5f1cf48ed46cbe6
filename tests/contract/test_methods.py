from __future__ import annotations

import math
from dataclasses import fields

import pytest
from stripmocap.contract.errors import RequestError
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import (
    METHODS,
    WEIGHTS,
    HumorOptions,
    SmplifyOptions,
    VibeOptions,
    chains,
    method_named,
    options_from_json,
)
from stripmocap.contract.motion import TAKE_LABELS


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda each: each.key)
def test_defaults_and_bounds_of_every_option_are_allowed(method):
    for option in fields(method.options):
        said = option.metadata
        bounds = said["choices"] if "choices" in said else (said["min"], said["max"])
        for value in (option.default, *bounds):
            made = method.options(**{option.name: value})

            assert getattr(made, option.name) == value


@pytest.mark.parametrize("value", [-0.1, 10.1, math.nan, math.inf, "1", True, None])
def test_a_weight_that_is_out_of_bounds_or_no_number_is_refused(value):
    with pytest.raises(RequestError, match="depth_cue"):
        SmplifyOptions(depth_cue=value)


@pytest.mark.parametrize("value", ["mine", "", None, 1, ["house"]])
def test_what_is_none_of_an_options_choices_is_refused_with_those(value):
    with pytest.raises(RequestError, match="conventions is") as refused:
        VibeOptions(conventions=value)

    assert "house, published" in refused.value.hint


def test_options_not_given_keep_their_defaults():
    assert options_from_json("smplify", {"contacts": 2}) == SmplifyOptions(contacts=2)


@pytest.mark.parametrize(
    ("method", "values", "said"),
    [("magic", {}, "no method 'magic'"), ("smplify", {"speed": 1}, "no option speed")],
)
def test_an_unknown_name_is_refused_with_those_that_are_known(method, values, said):
    with pytest.raises(RequestError, match=said) as refused:
        options_from_json(method, values)

    assert "smplify" in refused.value.hint or "contacts" in refused.value.hint


def test_a_method_without_options_says_that_it_has_none():
    with pytest.raises(RequestError, match="no option speed") as refused:
        options_from_json("spin", {"speed": 1})

    assert refused.value.hint == "It has none."


@pytest.mark.parametrize("weights", WEIGHTS)
def test_a_method_is_found_by_what_it_can_be(weights):
    assert method_named("smplify", role="refiner", weights=weights) is METHODS["smplify"]

    with pytest.raises(RequestError, match="no refiner 'spin'") as refused:
        method_named("spin", role="refiner", weights=weights)

    assert refused.value.hint == "Choose one of smplify, humor."


def test_every_chain_is_a_request_that_can_be_made():
    found = chains()

    assert ("smplify",) in found
    assert ("vibe", "smplify") in found
    assert len(found) == len(set(found))
    for estimator, *refiners in found:
        request = CaptureRequest(Clip("a.mp4"), estimator, refiners=tuple(refiners))
        assert tuple(each.key for each in request.methods) == (estimator, *refiners)


def test_no_chain_goes_back_to_an_earlier_take():
    for chain in chains():
        places = [TAKE_LABELS.index(METHODS[each].take) for each in chain]

        assert places == sorted(set(places))


def test_the_papers_solver_needs_files_that_the_fast_one_does_without():
    official = METHODS["humor"].weights["official"]

    more = set(official.needed(HumorOptions(solver="paper"))) - set(official.needed(HumorOptions()))

    assert more == {"humor_initial", "vposer_official"}
    assert official.needed(HumorOptions()) == official.needs
