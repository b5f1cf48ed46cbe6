from __future__ import annotations

import json
import math

import pytest
from stripmocap.contract.corrections import KINDS, Correction, Mark, correction_from_json
from stripmocap.contract.errors import RequestError

HERE, THERE = Mark(0.5, 0.25, 0.5), Mark(1.5, 0.75, 0.5)
WHOLE = {"other": THERE, "time_s": 2.0}


def of(kind: str, **changes) -> Correction:
    takes = {name: WHOLE[name] for name in KINDS[kind]}
    return Correction(kind, **{"who": HERE, **takes, **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_a_correction_comes_back_from_json_as_it_was(kind):
    text = json.dumps(of(kind).to_json(), allow_nan=False)

    assert correction_from_json(json.loads(text)) == of(kind)


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("merge", {"other": None}, "takes a second person"),
        ("swap", {"time_s": None}, "takes a time"),
        ("ignore", {"time_s": 1.0}, "takes no time"),
        ("split", {"other": THERE}, "takes no second person"),
        ("split", {"time_s": math.nan}, "nan s"),
        ("split", {"time_s": True}, "True s"),
    ],
)
def test_what_a_kind_lacks_or_has_too_much_is_said(kind, changes, said):
    with pytest.raises(RequestError, match=said):
        of(kind, **changes)


def test_an_unknown_kind_is_refused_with_those_that_there_are():
    with pytest.raises(RequestError) as refused:
        Correction("clone", HERE)

    assert all(kind in refused.value.hint for kind in KINDS)


@pytest.mark.parametrize(
    "values",
    [
        3,
        {},
        {"kind": "ignore"},
        {"kind": ["ignore"], "who": {"time_s": 0, "x": 0, "y": 0}},
        {"kind": "ignore", "who": 3},
        {"kind": "ignore", "who": {"time_s": 0, "x": 0}},
        {"kind": "ignore", "who": {"time_s": 0, "x": 0, "y": math.inf}},
        {"kind": "ignore", "who": {"time_s": 10**400, "x": 0, "y": 0}},
        {"kind": "ignore", "who": None},
        {"kind": "merge", "who": {"time_s": 0, "x": 0, "y": 0}},
        {"kind": "split", "who": {"time_s": 0, "x": 0, "y": 0}, "time_s": 10**400},
        {"kind": "ignore", "who": {"time_s": 0, "x": 0, "y": 0}, "colour": "red"},
    ],
)
def test_json_that_is_no_correction_is_refused(values):
    with pytest.raises(RequestError) as refused:
        correction_from_json(values)

    assert refused.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_does_not_take_may_be_null_in_json(kind):
    nothing = {"other": None, "time_s": None}

    assert correction_from_json({**nothing, **of(kind).to_json()}) == of(kind)
