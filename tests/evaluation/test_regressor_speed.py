import json
import math

import pytest
import torch
from stripmocap import cli
from stripmocap.cli import benchmark
from stripmocap.evaluation import regressor_speed
from stripmocap.methods.hmr import weights
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork
from stripmocap.methods.smplify import paper

CPU = torch.device("cpu")


def silent(stage, done, of):
    """A report that nobody reads."""


def test_a_repeat_does_not_count_the_first_run():
    calls = []

    regressor_speed.best_ms(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")},
        items=1,
        repeats=2,
        device=CPU,
        report=silent,
    )

    assert calls == ["a", "b"] * 3


def test_keypoint_networks_are_timed_by_the_frame():
    found = regressor_speed.keypoints(
        KeypointNetwork(16, blocks=1, hidden=8), batch=4, repeats=1, device=CPU, report=silent
    )

    assert all(each > 0 and math.isfinite(each) for each in found.to_json().values())


@pytest.mark.slow
def test_the_command_writes_what_can_be_compared(tmp_path, capsys, monkeypatch):
    weights.save_keypoint_network(
        KeypointNetwork(16, blocks=1, hidden=8), tmp_path / "w.safetensors", metadata={}
    )
    monkeypatch.setattr(benchmark, "SHIPPED_SPIN", tmp_path / "w.safetensors")
    monkeypatch.setattr(benchmark, "SMPLIFY_BATCH", 2)
    monkeypatch.setattr(paper, "solve", lambda problem, start: start)
    path, threads = tmp_path / "speed.json", torch.get_num_threads()

    status = cli.main(["benchmark", "spin", "--batch", "1", "--repeats", "1", "--json", str(path)])

    torch.set_num_threads(threads)
    values = json.loads(path.read_text(encoding="utf-8"))
    assert status == cli.DONE
    assert {"resnet50_ms", "ours_ms", "over_resnet50"} <= set(values["pixels"])
    assert {"keypoints_ms", "smplify_ms", "paper_smplify_ms", "looks_a_fit"} <= set(values)
    assert "pixels" in capsys.readouterr().out
