from __future__ import annotations

import pytest
from stripmocap.contract.skeleton import LIMB_JOINTS
from stripmocap.evaluation import report
from toytrials import SMPLIFY, ToyCase, tried

pytestmark = pytest.mark.usefixtures("small_body")


def test_the_report_has_a_table_of_everything_and_pictures():
    pytest.importorskip("matplotlib")
    results = tried(ToyCase(), ToyCase("run", "running", persons=("a", "b"), lost=("b",)))

    sections = report.sections_of(results, footage={"walk": None, "run": None})

    titles = [each.title for each in sections]
    assert titles == [
        *("All together", "Case by case", "Not found", "By kind of motion", "By joint"),
        *("Over time", "One below the other", "Median and worst frames"),
    ]
    cases = sections[1].blocks[0]
    assert [row[:2] for row in cases.rows] == [
        *(("run a", "spin"), ("run a", "spin+smplify"), ("run a", "smplify")),
        *(("walk", "spin"), ("walk", "spin+smplify"), ("walk", "smplify")),
    ]
    pictures = [block for each in sections for block in each.blocks if hasattr(block, "data")]
    assert {each.kind for each in pictures} == {"png", "jpeg"}


def test_a_number_that_is_not_known_is_a_dash():
    (one,) = tried(ToyCase(), methods=(SMPLIFY,))

    (row,) = report.mean_table([one]).rows

    assert dict(zip(report.mean_table([one]).head, row, strict=True))["foot slide cm/s"] == "-"


def test_limb_names_of_the_report_are_those_of_the_scores():
    (one,) = tried(ToyCase(), methods=(SMPLIFY,))

    table = report._by_joint([one])[0]

    assert [row[0] for row in table.rows] == [name.replace("_", " ") for name in LIMB_JOINTS]


def test_who_is_who_is_told_where_there_are_several():
    table = report.identity_table(tried(ToyCase(persons=("man", "woman")), methods=(SMPLIFY,)))

    assert table is not None
    assert [row[:2] for row in table.rows] == [("walk man", "smplify"), ("walk woman", "smplify")]
    assert report.identity_table(tried(ToyCase(), methods=(SMPLIFY,))) is None
