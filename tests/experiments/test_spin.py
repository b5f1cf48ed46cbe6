"""The experiment about SPIN's claims, with few people and small networks."""

import importlib.util
import json

import numpy as np
import pytest
import torch
from stripmocap.experiments import spin, spin_arms, spin_starts
from stripmocap.experiments.spin_arms import IN_THE_LOOP, ONE_OFF, TRUTH, TWO_D, Arm, Plan, Stage
from stripmocap.experiments.spin_starts import Cost, Starts, Tried
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Clips of people who stand about, and room for the arms."""
    folder = tmp_path_factory.mktemp("clips")
    entries = []
    for split in ("train", "val", "test"):
        poses = 0.2 * np.random.default_rng(0).standard_normal((60, 24, 3))
        poses[:, 0] = [np.pi / 2, 0, 0]  # upright in a world whose z is up
        arrays = {"poses": poses.astype(np.float16), "trans": np.zeros((60, 3), np.float32)}
        np.savez(folder / f"cmu_{split}.npz", **arrays)
        entries.append(
            {"id": split, "kind": "walk", "subject": "7", "start": 0, "frames": 60,
             "shard": f"cmu_{split}.npz", "feet_ok": True}
        )  # fmt: skip
    (folder / "index.json").write_text(json.dumps({"clips": entries}), encoding="utf-8")
    return Plan(
        folder,
        folder / "arms",
        people=8,
        held_out=8,
        probed=2,
        epochs=2,
        batch=4,
        width=16,
        every=2,
        scorings=1,
        informed=0.3,
    )


@pytest.fixture(scope="module")
def stage(plan):
    return Stage.build(plan)


def quiet(_stage, _done, _of):
    pass


def test_people_of_the_experiment_are_upright_and_whole(stage):
    up = -stage.people.rotmat[:, 0, 1, 1]

    assert len(stage.people) == stage.plan.people
    assert (up > spin_arms.UPRIGHT).all()
    assert (stage.people.visible.float().mean(dim=1) > spin_arms.WHOLE).all()


@pytest.fixture(scope="module")
def arms(stage):
    return {arm.name: arm for arm in spin_arms.run(stage, quiet)}


def test_every_arm_is_trained_and_judged(arms):
    assert set(arms) == {TWO_D, ONE_OFF, IN_THE_LOOP, TRUTH}
    assert all(np.isfinite(each) for arm in arms.values() for each in arm.errors.values())


def test_one_off_fits_stay_as_they_are(arms):
    name = "stored fits PA-MPJPE mm"

    assert len({value for _, value in arms[ONE_OFF].scores[name]}) == 1
    assert name in arms[IN_THE_LOOP].scores
    assert name not in arms[TWO_D].scores


def test_only_the_loop_is_probed(arms):
    assert "fit steps" in arms[IN_THE_LOOP].scores
    assert "fit steps" not in arms[ONE_OFF].scores


def test_a_finished_arm_is_taken_from_its_folder(stage, arms):
    fits = spin_arms.one_off_fits(stage, quiet)
    again = spin_arms.run_arm(stage, IN_THE_LOOP, one_off=fits, report=quiet)

    assert again.errors == arms[IN_THE_LOOP].errors


def test_of_several_starts_the_nearest_fit_is_taken(stage):
    batch = stage.plain(stage.held_out)
    starts = spin_arms.mean_starts(stage.school, batch)
    problem = spin_arms.spin.problem_of(stage.school, batch)

    def loss(state):
        return spin_arms.paper.reprojection(problem, state).mean(dim=1)

    best = loss(spin_arms.best_of(stage.school, batch, starts=starts))

    for start in starts:
        assert (best <= loss(spin_arms.quick_solve(problem, start)) + 1e-3).all()


@pytest.fixture(scope="module")
def starts(stage):
    torch.manual_seed(0)
    return spin_starts.run(stage, KeypointNetwork(16, hidden=8).eval(), quiet)


def test_fits_that_start_at_the_truth_start_without_error(starts):
    assert starts.tried[spin_starts.BEST].start_error.max() < 0.1
    assert starts.tried[spin_starts.MEAN].start_error.min() > 1


def test_the_better_of_two_headings_is_never_worse_than_one(starts):
    once, twice = (starts.tried[name] for name in (spin_starts.MEAN, spin_starts.MEAN_TWICE))

    assert (twice.loss <= once.loss).all()
    assert (twice.steps > once.steps).all()


def test_quarters_are_quarters(starts):
    assert starts.groups.bincount().tolist() == [2, 2, 2, 2]


@pytest.mark.slow
def test_costs_are_said_of_each_way(stage):
    network = KeypointNetwork(16, hidden=8).eval()

    found = spin_starts.costs(stage, network, repeats=1)

    assert [each.together for each in found] == [8, 8, 8]
    assert found[0].ms < min(found[1].ms, found[2].ms)


@pytest.fixture
def findings(plan):
    steps = [(1, 90.0), (2, 70.0)]
    loop = Arm(
        IN_THE_LOOP,
        {"PA-MPJPE mm": steps, "stored fits PA-MPJPE mm": steps, "fit steps": steps},
        {"PA-MPJPE mm": 70.0, "MPJPE mm": 99.0},
    )
    plain = Arm(TWO_D, {"PA-MPJPE mm": steps}, {"PA-MPJPE mm": 80.0, "MPJPE mm": 120.0})
    numbers = torch.arange(8.0)
    tried = Tried(numbers, numbers, 40 * numbers, numbers, numbers)
    groups = torch.arange(8) // 2
    return spin.Findings(
        plan,
        [plain, loop],
        {"fit steps": 30.0},
        Starts({"mean pose": tried}, groups),
        [Cost("one forward pass", 0.123456, 600)],
    )


def test_the_page_says_what_was_found(findings):
    page = spin.page(findings)

    assert "| fits in the loop | 70.0 | 99.0 | 90.0 -> 70.0 |" in page
    assert "| 2D keypoints only | 80.0 | 120.0 |  |" in page
    assert "| from the mean pose | 30.0 |" in page
    # 120, 160 ... of 0, 40, 80 ... are failed fits.
    assert "| mean pose | 62.5 |" in page
    assert "| mean pose | 0.0 | 50.0 | 100.0 | 100.0 |" in page
    assert "| one forward pass | 0.123 | 600 |" in page


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
def test_plots_are_drawn(findings, tmp_path):
    paths = spin.draw(findings, tmp_path)

    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
