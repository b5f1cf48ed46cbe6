from __future__ import annotations

from dataclasses import replace

import pytest
from fitscenes import loose_prior
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES
from stripmocap.methods.smplify.evidence import CUE_BONES, FOOT_POINTS
from stripmocap.methods.smplify.subject import Subject
from toybody import toy_body


def without(template: BodyTemplate, *parts: str) -> BodyTemplate:
    """`template` without the landmarks whose names contain one of `parts`."""
    kept = [
        index
        for index, name in enumerate(template.landmark_names)
        if not any(part in name for part in parts)
    ]
    return replace(
        template,
        landmark_names=tuple(template.landmark_names[index] for index in kept),
        landmark_regressor=template.landmark_regressor[kept],
    )


def test_a_whole_body_is_looked_at_everywhere():
    subject = Subject.from_template(toy_body(), loose_prior())

    assert subject.columns.tolist() == list(range(len(BLAZEPOSE_NAMES)))
    assert subject.bones.tolist() == list(range(len(CUE_BONES)))
    assert subject.foot_columns.tolist() == list(range(len(FOOT_POINTS)))


@pytest.mark.parametrize("parts", [("mouth",), ("mouth", "index", "pinky", "thumb"), ("_",)])
def test_what_a_body_lacks_is_not_looked_at(parts):
    subject = Subject.from_template(without(toy_body(), *parts), loose_prior())

    seen = [BLAZEPOSE_NAMES[column] for column in subject.columns]
    missing = {n for n in BLAZEPOSE_NAMES if n not in JOINT_NAMES and any(p in n for p in parts)}
    assert seen == [name for name in BLAZEPOSE_NAMES if name not in missing]
    for bone in subject.bones:
        assert not missing & set(CUE_BONES[bone])
    points = 24 + len(subject.body.weights)
    assert max(int(each.max()) for each in (subject.keypoints, subject.cue, subject.feet)) < points


def test_toes_stand_for_what_a_body_lacks_of_its_feet():
    subject = Subject.from_template(without(toy_body(), "heel", "foot_index"), loose_prior())

    assert [FOOT_POINTS[each] for each in subject.foot_columns] == [
        "left_foot_index",
        "right_foot_index",
    ]
    assert [JOINT_NAMES[each] for each in subject.feet] == ["left_foot", "right_foot"]
