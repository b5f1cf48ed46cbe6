"""Whether a method can run here, and what it lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stripmocap import assets
from stripmocap.contract.methods import METHODS
from stripmocap.server.web import health
from stripmocap.server.web.context import Recent

NEEDED = METHODS["smplify"].weights["embedded"].needs


@pytest.fixture
def found(monkeypatch):
    """Sets the state in which files are found; all others are ready."""

    def put(**states):
        every = [replace(each, state="ready") for each in assets.status()]
        seen = [replace(each, state=states.get(each.asset.name, "ready")) for each in every]
        monkeypatch.setattr(assets, "status", lambda: seen)

    return put


def told(key="smplify", weights="embedded"):
    return next(each for each in health.methods() if (each.key, each.weights) == (key, weights))


def test_a_method_with_all_its_files_is_ready(found):
    found()

    method = told()

    assert (method.ready, method.lacks) == (True, ())


def test_what_is_fetched_at_the_first_capture_keeps_no_method_from_running(found):
    found(blazepose_detector="missing")

    method = told()

    assert method.ready
    assert "fetched at the first capture" in method.lacks[0]


@pytest.mark.parametrize("state", ["missing", "corrupt"])
def test_a_method_without_a_shipped_file_is_not_ready(found, state):
    found(pose_prior=state)

    method = told()

    assert "pose_prior" in NEEDED
    assert not method.ready
    assert f"pose_prior.safetensors is {state}" in method.lacks[0]


def test_what_no_method_needs_is_not_missed(found):
    found(smplify_prior="missing")

    assert told().lacks == ()


def test_what_the_user_has_to_bring_is_named_with_where_it_is_from(found):
    found(spin_official="missing")

    method = told("spin", "official")

    assert not method.ready
    assert "model_checkpoint.pt" in method.lacks[0]
    assert "github.com/nkolot/SPIN" in method.lacks[0]
    assert told("spin").ready


def test_what_is_costly_is_looked_at_only_now_and_then():
    looked = []
    recent = Recent(lambda: looked.append(1) or len(looked), age_s=60.0)

    assert (recent(), recent()) == (1, 1)
    recent.forget()
    assert recent() == 2
