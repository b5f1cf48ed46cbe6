from __future__ import annotations

import sys

import numpy as np
import pytest
from stripmocap.contract.errors import AssetMissing
from stripmocap.evaluation import plots
from toytrials import scores_of


def test_plots_are_png_whatever_is_missing():
    pytest.importorskip("matplotlib")
    values = {"spin": {"walking": 3.0, "running": np.nan}, "smplify": {"walking": 2.0}}

    for data in (
        plots.bars(values, title="bars"),
        plots.over_time({"spin": scores_of(np.nan).series}, title="nothing"),
    ):
        assert data.startswith(b"\x89PNG")


def test_without_matplotlib_the_hint_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(AssetMissing, match="matplotlib") as caught:
        plots.require()

    assert "stripmocap[research]" in caught.value.hint
