"""What the add-on offers is what the backend can do, and every file that it needs is known."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from stripmocap import assets, pipeline
from stripmocap.contract.jobs import STAGE_LABELS
from stripmocap.contract.methods import METHODS, Method
from stripmocap.methods.catalogue import ESTIMATORS


def faults_of(
    methods: dict[str, Method],
    *,
    estimators: Iterable[str],
    refiners: Iterable[str],
    files: Iterable[str],
) -> list[str]:
    """Where the contract's table and the backend's tables differ."""
    faults = [f"{key} calls itself {each.key}" for key, each in methods.items() if key != each.key]
    for role, implemented in (("estimator", set(estimators)), ("refiner", set(refiners))):
        listed = {key for key, each in methods.items() if each.role == role}
        faults += [f"{role} {key} has no implementation" for key in sorted(listed - implemented)]
        faults += [f"{role} {key} is not in METHODS" for key in sorted(implemented - listed)]
    known = set(files)
    return faults + [
        f"{key} needs {name}, which is not in the table of files"
        for key, each in methods.items()
        for name in each.needs
        if name not in known
    ]


def test_the_tables_of_methods_and_files_agree():
    files = [each.name for each in assets.ASSETS]

    assert faults_of(METHODS, estimators=ESTIMATORS, refiners=[], files=files) == []


@pytest.mark.parametrize(
    ("estimators", "files", "fault"),
    [
        ([], ["eyes"], "has no implementation"),
        (["fly", "swim"], ["eyes"], "swim is not in METHODS"),
        (["fly"], [], "needs eyes"),
    ],
)
def test_a_difference_is_found(estimators, files, fault):
    fly = Method("fly", "Fly", "estimator", needs=("eyes",), licence="MIT", options=object)

    (found,) = faults_of({"fly": fly}, estimators=estimators, refiners=[], files=files)

    assert fault in found


def test_every_stage_of_a_capture_has_words_for_people():
    assert set(STAGE_LABELS) == set(pipeline.STAGES)
