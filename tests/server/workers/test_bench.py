"""The device that a worker computes on, and what it says of it."""

from __future__ import annotations

import pytest
import torch
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.server.workers.bench import Bench


def bench(device: str, folder) -> Bench:
    return Bench(device, cache=folder / "cache", cache_bytes=10**6)


def test_auto_is_the_first_accelerator_or_else_the_processor(tmp_path):
    found = bench("auto", tmp_path)

    accelerated = torch.cuda.is_available() or torch.backends.mps.is_available()
    assert (found.name == "cpu") != accelerated
    assert found.label


def test_the_processor_has_the_machines_memory(tmp_path):
    total, free = bench("cpu", tmp_path).memory()

    assert total is not None
    assert free is not None
    assert 0 < free <= total


@pytest.mark.parametrize("device", ["cuda:77", "abacus"])
def test_a_device_that_is_not_there_is_said_at_once(tmp_path, device):
    with pytest.raises((RuntimeError, AssertionError)):
        bench(device, tmp_path)


def test_a_capture_is_the_workshops_with_the_kept_steps(tmp_path, monkeypatch):
    handed = []
    found = bench("cpu", tmp_path)
    monkeypatch.setattr(
        found._workshop, "capture", lambda request, **rest: handed.append((request, rest))
    )
    request = CaptureRequest(Clip("walk.mp4"))

    found.capture(request, report=print, publish=repr, small=True)

    ((asked, rest),) = handed
    assert asked is request
    assert rest == {"report": print, "publish": repr, "small": True, "steps": found._steps}


@pytest.mark.gpu
def test_released_memory_of_an_accelerator_is_free_again(tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    found = bench("cuda", tmp_path)
    _, before = found.memory()
    held = torch.zeros(2**28, device="cuda")
    _, less = found.memory()

    del held
    found.release()

    _, after = found.memory()
    assert found.name == "cuda:0"
    assert before is not None
    assert less is not None
    assert less <= before - 2**30
    assert after >= before  # the context may have given some back meanwhile
