"""What the add-on offers is what the backend can do, and every file that it needs is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from itertools import chain

import pytest
from stripmocap import assets, pipeline
from stripmocap.contract.jobs import STAGE_LABELS
from stripmocap.contract.methods import METHODS, ROLES, WEIGHTS, Method, SpinOptions, Weights
from stripmocap.methods.catalogue import ESTIMATORS


def faults_of(
    methods: dict[str, Method], *, estimators: Mapping[str, Iterable[str]], files: Iterable[str]
) -> list[str]:
    """Where the contract's table and the backend's tables differ."""
    faults = [f"{key} calls itself {each.key}" for key, each in methods.items() if key != each.key]
    listed = {(key, kind) for key, each in methods.items() for kind in each.weights}
    implemented = {(key, kind) for key, kinds in estimators.items() for kind in kinds}
    faults += [f"{key} on {on} has no implementation" for key, on in sorted(listed - implemented)]
    faults += [f"{key} on {on} is not in METHODS" for key, on in sorted(implemented - listed)]
    known = set(files)
    return faults + [
        f"{key} needs {name}, which is not in the table of files"
        for key, each in methods.items()
        for weights in each.weights.values()
        for name in (*weights.needs, *chain(*weights.needs_for.values()))
        if name not in known
    ]


def test_the_tables_of_methods_and_files_agree():
    files = [each.name for each in assets.ASSETS]

    assert faults_of(METHODS, estimators=ESTIMATORS, files=files) == []


@pytest.mark.parametrize(
    ("estimators", "files", "fault"),
    [
        ({}, ["eyes"], "has no implementation"),
        ({"fly": ["official"]}, ["eyes"], "is not in METHODS"),
        ({"fly": ["embedded"], "swim": ["embedded"]}, ["eyes"], "swim on embedded is not in"),
        ({"fly": ["embedded"]}, [], "needs eyes"),
    ],
)
def test_a_difference_is_found(estimators, files, fault):
    weights = {"embedded": Weights(("eyes",), "MIT", stage="fit")}
    fly = Method("fly", "Fly", ("estimator",), take="frame", weights=weights, options=SpinOptions)

    found = faults_of({"fly": fly}, estimators=estimators, files=files)

    assert any(fault in each for each in found)


def test_what_only_a_choice_needs_is_looked_for_too():
    weights = Weights((), "MIT", stage="fit", needs_for={"high": ("wings",)})
    fly = Method(
        "fly",
        "Fly",
        ("estimator",),
        take="frame",
        weights={"embedded": weights},
        options=SpinOptions,
    )

    found = faults_of({"fly": fly}, estimators={"fly": ["embedded"]}, files=["eyes"])

    assert found == ["fly needs wings, which is not in the table of files"]


def test_every_choice_that_needs_files_is_one_of_the_methods_options():
    for method in METHODS.values():
        choices = {
            choice
            for option in fields(method.options)
            for choice in option.metadata.get("choices", ())
        }
        for weights in method.weights.values():
            assert set(weights.needs_for) <= choices


def test_every_method_makes_a_take_that_is_kept_and_is_told_of():
    for method in METHODS.values():
        assert method.take in pipeline.STEPS
        assert set(method.roles) <= set(ROLES)
        assert set(method.weights) <= set(WEIGHTS)
        assert {each.stage for each in method.weights.values()} <= set(pipeline.STAGES)


def test_every_stage_of_a_capture_has_words_for_people():
    assert set(STAGE_LABELS) == set(pipeline.STAGES)
