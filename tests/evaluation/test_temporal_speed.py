import json
import math

import pytest
import torch
from stripmocap import cli
from stripmocap.cli import benchmark
from stripmocap.contract import body_file
from stripmocap.evaluation import temporal_speed
from stripmocap.methods.hmr.regressor import Regressor
from stripmocap.methods.vibe.keypoint_network import Sizes, TemporalNetwork
from stripmocap.methods.vibe.keypoint_weights import save_temporal_network

SMALL = Sizes(features=16, blocks=1, memory=8)


@pytest.fixture(scope="module")
def template():
    return body_file.load(body_file.EMBEDDED_BODY)


def test_the_stand_in_has_the_sizes_of_smpl(template):
    found = temporal_speed._of_smpls_size(template)

    assert found.v_template.shape == (6890, 3)
    assert found.posedirs.shape == (6890, 3, 207)
    assert found.landmark_names == template.landmark_names


def test_joints_are_the_same_off_the_mesh_and_off_the_reduced_body(template):
    mesh, reduced = temporal_speed._joints(template, device=torch.device("cpu"))
    said = Regressor(4, hidden=8).eval()(torch.randn(3, 4))

    torch.testing.assert_close(reduced(said), mesh(said), atol=1e-5, rtol=0)


def test_the_embedded_network_is_timed_by_the_frame(template):
    told = []

    found = temporal_speed.embedded(
        TemporalNetwork(SMALL),
        template,
        people=2,
        frames=3,
        repeats=1,
        device=torch.device("cpu"),
        report=lambda *said: told.append(said),
    )

    assert all(each > 0 and math.isfinite(each) for each in found.to_json().values())
    assert told[-1] == ("benchmark", 2, 2)


@pytest.mark.slow
def test_the_command_writes_what_can_be_compared(tmp_path, capsys, monkeypatch):
    save_temporal_network(TemporalNetwork(SMALL), tmp_path / "v.safetensors", metadata={})
    monkeypatch.setattr(benchmark, "SHIPPED_VIBE", tmp_path / "v.safetensors")
    path, threads = tmp_path / "speed.json", torch.get_num_threads()

    status = cli.main(["benchmark", "vibe", "--frames", "2", "--repeats", "1", "--json", str(path)])

    torch.set_num_threads(threads)
    values = json.loads(path.read_text(encoding="utf-8"))
    assert status == cli.DONE
    assert {"encoder_ms", "published_ms", "ours_ms", "ratio"} <= set(values["official"])
    assert set(values["embedded"]) == set(values["official"])
    assert "official" in capsys.readouterr().out
