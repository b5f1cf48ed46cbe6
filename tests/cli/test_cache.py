from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stripmocap import cli
from stripmocap.settings import GIB
from stripmocap.steps import StepStore


@pytest.fixture
def data(tmp_path) -> Path:
    return tmp_path / "data"


def fill(data: Path) -> None:
    store = StepStore(data / "cache", limit_bytes=GIB)
    store.keep("people", "a", {"x": np.zeros(250_000)})
    store.keep("fit", "b", {"x": np.zeros(125_000)})


def test_what_is_kept_is_shown_by_step(data, capsys):
    fill(data)

    assert cli.main(["cache"]) == cli.DONE

    said = capsys.readouterr().out
    assert f"{data / 'cache'}: 3.0 MB of at most" in said
    assert "people: 1 kept" in said
    assert "fit: 1 kept" in said


def test_the_limit_is_the_one_that_was_set(data, capsys, monkeypatch):
    monkeypatch.setenv("STRIPMOCAP_CACHE_GB", "0.5")

    assert cli.main(["cache", "--data", str(data)]) == cli.DONE

    assert f"of at most {GIB / 2e6:.1f} MB" in capsys.readouterr().out


def test_clearing_says_what_is_free_again(data, capsys):
    fill(data)

    assert cli.main(["cache", "--clear"]) == cli.DONE

    said = capsys.readouterr().out
    assert "3.0 MB are free again" in said
    assert "0.0 MB of at most" in said
    assert list((data / "cache").rglob("*.kept")) == []


def test_another_data_folder_may_be_named(tmp_path, data, capsys):
    fill(tmp_path / "other")

    cli.main(["cache", "--data", str(tmp_path / "other")])

    assert "people: 1 kept" in capsys.readouterr().out
    assert not data.exists()


def test_an_empty_cache_is_no_error_and_makes_no_folder(data, capsys):
    assert cli.main(["cache"]) == cli.DONE

    assert "0.0 MB" in capsys.readouterr().out
    assert not data.exists()


def test_a_capture_keeps_its_steps_in_the_data_folder(footage, tmp_path, data, asked, stores):
    cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz")])

    (store,) = stores
    assert store is not None
    assert store.folder == data / "cache"


def test_a_fresh_capture_neither_reads_nor_keeps(footage, tmp_path, asked, stores):
    cli.main(["capture", str(footage), "-o", str(tmp_path / "a.npz"), "--fresh"])

    assert stores == [None]
