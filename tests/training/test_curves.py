import sys

import pytest
from stripmocap.contract.errors import AssetMissing
from stripmocap.training import curves
from stripmocap.training.loop import History


def history():
    steps = range(1, 6)
    losses = {"joints": [(step, 1 / step**3) for step in steps], "zero": [(1, 0.0), (2, 0.0)]}
    return History(losses=losses, scores={"PA-MPJPE mm": [(5, 50.0)]})


def test_a_picture_is_written(tmp_path):
    pytest.importorskip("matplotlib")

    curves.draw(history(), tmp_path / "curves.png")

    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(AssetMissing) as caught:
        curves.draw(history(), tmp_path / "curves.png")

    assert "stripmocap[research]" in caught.value.hint
