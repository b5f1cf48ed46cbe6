"""How long videos are split, against `humor_subsequences.json`."""

import json

import pytest
from stripmocap.methods.humor.pieces import split

pytestmark = pytest.mark.official


def test_pieces_are_those_of_humor(oracles):
    cases = json.loads((oracles.folder / "humor_subsequences.json").read_text("utf-8"))

    assert len(cases) > 3
    for case in cases:
        pieces = split(case["num_frames"], length=case["seq_len"], overlap=case["overlap_len"])
        assert [list(each) for each in pieces] == case["intervals"]
