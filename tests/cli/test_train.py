from __future__ import annotations

from pathlib import Path

import pytest
from stripmocap import cli
from stripmocap.contract.errors import Cancelled
from stripmocap.training import hmr_run, humor_run, pose_prior, vibe_run
from stripmocap.training.held_out import KindErrors
from stripmocap.training.held_out_humor import JudgedPrior, Plausible
from stripmocap.training.held_out_motion import Judged


def test_the_training_gets_what_was_typed(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(pose_prior, "main", lambda *given, **more: asked.append((given, more)))
    output = tmp_path / "prior.safetensors"

    status = cli.main(
        ["train", "pose-prior", "--data", str(tmp_path), "-o", str(output), "--seed", "3"]
    )

    ((given, more),) = asked
    assert status == cli.DONE
    assert given == (tmp_path, output)
    assert more["seed"] == 3


@pytest.mark.parametrize(
    ("data", "output", "said"),
    [("no", "a.safetensors", "is not a folder"), (".", "a.npz", "does not end in .safetensors")],
)
def test_what_cannot_be_trained_is_refused(tmp_path, monkeypatch, capsys, data, output, said):
    monkeypatch.chdir(tmp_path)

    status = cli.main(["train", "pose-prior", "--data", data, "-o", output])

    assert status == cli.REFUSED
    assert said in capsys.readouterr().err


def test_the_regressor_is_trained_as_typed(tmp_path, monkeypatch, capsys):
    orders = []

    def train(order, *, report):
        orders.append(order)
        return KindErrors("all", 10, pa_mpjpe_mm=50.04, mpjpe_mm=80.0)

    monkeypatch.setattr(hmr_run, "main", train)
    output = tmp_path / "a.safetensors"

    status = cli.main(
        [
            *("train", "hmr", "--data", str(tmp_path), "-o", str(output), "--steps", "9"),
            *("--batch", "8", "--rate", "0.1", "--critic", "0.2", "--seed", "3"),
            *("--device", "cpu"),
        ]
    )

    (order,) = orders
    assert status == cli.DONE
    assert (order.data, order.output) == (tmp_path, output)
    assert order.folder == tmp_path / "a.training"
    assert (order.steps, order.learning_rate, order.seed) == (9, 0.1, 3)
    assert (order.plan.batch, order.plan.weights.critic) == (8, 0.2)
    assert "PA-MPJPE 50.0 mm" in capsys.readouterr().out


def test_who_stops_a_training_is_told_what_is_kept(tmp_path, monkeypatch, capsys):
    def stop(order, *, report):
        raise Cancelled("stopped after 5 of 9 steps", hint="The same command goes on from there.")

    monkeypatch.setattr(hmr_run, "main", stop)

    status = cli.main(
        ["train", "hmr", "--data", str(tmp_path), "-o", str(tmp_path / "a.safetensors")]
    )

    said = capsys.readouterr().err
    assert status == cli.STOPPED
    assert "stopped after 5 of 9 steps" in said
    assert "goes on from there" in said


def test_the_temporal_network_is_trained_as_typed(tmp_path, monkeypatch, capsys):
    orders = []

    def train(order, *, report):
        orders.append(order)
        return Judged("all", 10, (40.04, 60.0, 6.5, 50.0))

    monkeypatch.setattr(vibe_run, "main", train)
    output = tmp_path / "v.safetensors"

    status = cli.main(
        [
            *("train", "vibe", "--data", str(tmp_path), "-o", str(output), "--steps", "9"),
            *("--start", "spin.safetensors", "--batch", "8", "--frames", "20", "--rate", "0.1"),
            *("--gentle", "0.3", "--memory", "64", "--critic", "0.2", "--device", "cpu"),
        ]
    )

    (order,) = orders
    assert status == cli.DONE
    assert (order.folder, order.start) == (tmp_path / "v.training", Path("spin.safetensors"))
    assert (order.steps, order.learning_rate, order.gentle_share) == (9, 0.1, 0.3)
    assert (order.plan.people, order.plan.frames, order.memory) == (8, 20, 64)
    assert order.plan.motion.critic == 0.2
    assert "PA-MPJPE 40.0 mm, acceleration error 6.50" in capsys.readouterr().out


def test_the_motion_prior_is_trained_as_typed(tmp_path, monkeypatch, capsys):
    orders, some = [], (1.0, 2.0, 3.0, 4.0)
    each = Plausible(7.04, 0.4, 1.0, 0.0, 0.6)

    def train(order, *, report):
        orders.append(order)
        return JudgedPrior(3.04, (0.9, 0.8, 0.95), some, some, some, some, some, some, each, each)

    monkeypatch.setattr(humor_run, "main", train)
    output = tmp_path / "h.safetensors"

    status = cli.main(
        [
            *("train", "humor", "--data", str(tmp_path), "-o", str(output), "--steps", "9"),
            *("--batch", "8", "--hidden", "64", "--rate", "0.1", "--pose-steps", "5"),
            *("--further-steps", "7"),
        ]
    )

    (order,) = orders
    assert status == cli.DONE
    assert order.folder == tmp_path / "h.training"
    assert (order.pose_output.name, order.start_output.name) == (
        "h_pose.safetensors",
        "h_start.safetensors",
    )
    assert (order.steps, order.learning_rate, order.pose_steps) == (9, 0.1, 5)
    assert (order.plan.people, order.plan.sizes.hidden, order.further_steps) == (8, 64, 7)
    assert "3.0 mm a moment; feet slide 7.0 cm/s" in capsys.readouterr().out
