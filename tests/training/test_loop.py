import os
import re
import signal
from dataclasses import dataclass

import pytest
import torch
from stripmocap.contract.errors import (
    AssetCorrupt,
    Cancelled,
    DiskFull,
    RequestError,
    TrainingFailed,
)
from stripmocap.training import resuming
from stripmocap.training.loop import Schedule, train
from torch import nn
from torch.testing import assert_close

SHORT = Schedule(steps=60, learning_rate=0.3, warmup=5, score_every=20, save_every_s=1e9)


class Line:
    """Learns y = 3 x + 1 from batches that torch's own generator draws."""

    def __init__(self, *, at=None, act=None):
        torch.manual_seed(0)
        self.network = nn.Linear(1, 1)
        self.drawn, self.at, self.act = 0, at, act

    def losses(self, step):
        if step == self.at:
            self.act()
        self.drawn += 1
        x = torch.randn(16, 1)
        error = self.network(x) - (3 * x + 1)
        return {"fit": error.square().mean(), "size": 1e-3 * self.network.weight.square().sum()}

    def scores(self, network):
        assert not network.training
        return {"slope": float(network.weight)}

    def state_dict(self):
        return {"drawn": self.drawn}

    def load_state_dict(self, state):
        self.drawn = state["drawn"]


class Spoilt(Line):
    def __init__(self, *, steps):
        super().__init__()
        self.steps = steps

    def losses(self, step):
        terms = super().losses(step)
        return {"fit": terms["fit"] * float("nan")} if step in self.steps else terms


def silent(stage, done, of):
    pass


@dataclass(frozen=True)
class Plan:
    people: int = 16
    weights: tuple[float, ...] = (1.0, 1e-3)


def run(lesson, folder, schedule=SHORT, plan=Plan()):
    return train(lesson, schedule, folder=folder, seed=1, plan={"plan": plan}, report=silent)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_a_lesson_is_learnt(tmp_path):
    trained = run(Line(), tmp_path)

    assert_close(trained.network.weight, torch.tensor([[3.0]]), atol=0.3, rtol=0)
    assert_close(trained.network.bias, torch.tensor([1.0]), atol=0.3, rtol=0)


def test_gentle_weights_move_less_and_those_without_a_share_not_at_all(tmp_path):
    moved = {}
    for share in (1.0, 0.1, 0.0):
        lesson = Line()
        before = lesson.network.bias.detach().clone()
        schedule = Schedule(
            steps=4, learning_rate=0.1, warmup=1, averaging=0.0, gentle=("bias",),
            gentle_share=share,
        )  # fmt: skip
        found = run(lesson, tmp_path / str(share), schedule).network.bias
        moved[share] = float((found - before).detach().abs())

    assert moved[0.1] == pytest.approx(0.1 * moved[1.0], rel=0.3)
    assert moved[0.0] == 0.0


def test_a_training_with_gentle_weights_goes_on(tmp_path):
    schedule = Schedule(steps=60, learning_rate=0.3, warmup=5, gentle=("bias",), gentle_share=0.5)
    whole = run(Line(), tmp_path / "whole", schedule)
    with pytest.raises(Cancelled):
        run(Line(at=33, act=interrupt), tmp_path / "parts", schedule)

    parts = run(Line(), tmp_path / "parts", schedule)

    assert torch.equal(parts.network.weight, whole.network.weight)


def test_losses_and_scores_are_kept_by_step(tmp_path):
    history = run(Line(), tmp_path).history

    assert [step for step, _ in history.scores["slope"]] == [20, 40, 60]
    assert [step for step, _ in history.losses["fit"]] == [50, 60]
    total = history.losses["fit"][0][1] + history.losses["size"][0][1]
    assert total == pytest.approx(history.losses["total"][0][1], rel=1e-5)


def test_a_training_stopped_by_ctrl_c_goes_on_as_if_it_had_not_been(tmp_path):
    whole = run(Line(), tmp_path / "whole")
    with pytest.raises(Cancelled, match="stopped after 34 of 60"):
        run(Line(at=33, act=interrupt), tmp_path / "parts")

    rest = Line()
    resumed = run(rest, tmp_path / "parts")

    assert rest.drawn == 60
    assert_close(resumed.network.state_dict(), whole.network.state_dict(), atol=0, rtol=0)
    assert resumed.history.losses == whole.history.losses


def test_a_finished_training_is_not_repeated(tmp_path):
    first = run(Line(), tmp_path)
    again = Line(at=0, act=lambda: pytest.fail("trained again"))

    second = run(again, tmp_path)

    assert_close(second.network.state_dict(), first.network.state_dict(), atol=0, rtol=0)


def test_handlers_of_signals_are_put_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)

    run(Line(), tmp_path)

    assert signal.getsignal(signal.SIGINT) is before


def test_another_schedule_does_not_go_on(tmp_path):
    run(Line(), tmp_path)

    with pytest.raises(RequestError, match="asked for otherwise"):
        run(Line(), tmp_path, Schedule(steps=61))


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(people=8), "otherwise: plan.people 16, not 8"),
        (Plan(weights=(1.0, 0.1)), "otherwise: plan.weights [1.0, 0.001], not [1.0, 0.1]"),
    ],
)
def test_another_plan_does_not_go_on(tmp_path, plan, said):
    run(Line(), tmp_path)

    with pytest.raises(RequestError, match=re.escape(said)):
        run(Line(), tmp_path, plan=plan)


def test_a_training_that_does_not_tell_its_plan_is_not_gone_on_with(tmp_path):
    run(Line(), tmp_path)
    state = resuming.read(tmp_path)
    del state["identity"]["plan.people"]
    resuming.write(tmp_path, state)

    with pytest.raises(RequestError, match=r"another version.*plan.people") as caught:
        run(Line(), tmp_path)
    assert "Give another folder" in caught.value.hint


def test_another_network_does_not_go_on(tmp_path):
    run(Line(), tmp_path)
    other = Line()
    other.network = nn.Linear(1, 2)

    with pytest.raises(RequestError, match="another network"):
        run(other, tmp_path)


def test_a_few_spoilt_steps_are_left_out(tmp_path):
    trained = run(Spoilt(steps={3, 4, 17}), tmp_path)

    assert_close(trained.network.weight, torch.tensor([[3.0]]), atol=0.3, rtol=0)


def test_a_loss_that_stays_no_number_ends_the_training(tmp_path):
    with pytest.raises(TrainingFailed, match="since step"):
        run(Spoilt(steps=range(60)), tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    run(Line(), tmp_path)
    path = tmp_path / resuming.CHECKPOINT
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(AssetCorrupt, match="cannot be read as a checkpoint"):
        run(Line(), tmp_path)


def test_where_nothing_can_be_written_the_earlier_checkpoint_stays(tmp_path, monkeypatch):
    run(Line(), tmp_path)
    before = (tmp_path / resuming.CHECKPOINT).read_bytes()

    def full(state, file):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(resuming.torch, "save", full)
    with pytest.raises(DiskFull, match="No space left"):
        resuming.write(tmp_path, {})

    assert (tmp_path / resuming.CHECKPOINT).read_bytes() == before
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []


@pytest.mark.parametrize(("shape", "last"), [("cosine", 0.0), ("constant", 1.0)])
def test_the_learning_rate_rises_then_follows_its_shape(shape, last):
    schedule = Schedule(steps=1000, warmup=100, shape=shape)

    assert schedule.rate(0) == pytest.approx(0.01)
    assert schedule.rate(100) > 0.9
    assert schedule.rate(999) == pytest.approx(last, abs=1e-4)
