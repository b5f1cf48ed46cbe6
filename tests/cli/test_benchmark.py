from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from stripmocap import cli
from stripmocap.cli import benchmark
from toyshot import toy_capture


@pytest.fixture
def ran(monkeypatch, tmp_path) -> list:
    """The requests that were captured, under a clock by which each stage takes a second."""
    asked, clock = [], [0.0]

    def capture(request, *, report):
        asked.append(request)
        for stage in request.stages:
            clock[0] += 1.0
            report(stage, 1, 1)
        return toy_capture(frames=40)

    monkeypatch.setattr(benchmark.pipeline, "capture", capture)
    monkeypatch.setattr(benchmark, "_compared", lambda *_, **__: SimpleNamespace(baseline_s=0.5))
    monkeypatch.setattr(benchmark.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(benchmark.time, "process_time", lambda: 2 * clock[0])
    return asked


@pytest.mark.parametrize(("method", "stages"), [("smplify", 2), ("vibe", 2), ("vibe+smplify", 3)])
def test_a_capture_is_timed_by_any_method(ran, tmp_path, capsys, method, stages):
    file = tmp_path / "speed.json"

    status = cli.main(
        [
            "benchmark",
            "capture",
            "walk.mp4",
            "--method",
            method,
            "--repeats",
            "3",
            "--json",
            str(file),
        ]
    )

    assert status == 0
    assert ["+".join(each.key for each in asked.methods) for asked in ran] == [method] * 3
    values = json.loads(file.read_bytes())
    assert values["frames"] == 40
    assert values["ours_s"] == pytest.approx(stages / 40)
    assert values["processor_s"] == pytest.approx(2 * stages / 40)
    # Following people takes its second for both; the paper's solver half of one for each body.
    assert values["baseline_s"] == pytest.approx((1 + 0.5 * 80) / 40)
    assert "frames_a_second" in capsys.readouterr().out
