"""The experiment about HuMoR's claims, with toys in the methods' places."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest
from stripmocap import bodies
from stripmocap.contract.motion import Camera, Motion
from stripmocap.contract.skeleton import LIMB_JOINTS
from stripmocap.evaluation.grounded import Grounded
from stripmocap.evaluation.truth import Truth
from stripmocap.experiments import (
    humor,
    humor_bounds,
    humor_pages,
    humor_solvers,
    humor_takes,
    humor_video,
)
from stripmocap.experiments.humor import Findings, Plan
from stripmocap.experiments.humor_strips import FEET, SPELL, STEPS, WHOLE, Row, strip
from stripmocap.experiments.humor_takes import Tried, chain
from stripmocap.experiments.humor_video import DETECTOR, Film
from stripmocap.methods.toolbox import Estimate
from stripmocap.people.observations import Person
from toyclips import toy_clip

FRAMES = 90


class Toys:
    """Stands in for the catalogue: every method repeats the truth, moved by a little."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def loader(self, key):
        def load(tools, options):
            def estimate(people, camera, report, *, start=None, **rest):
                self.made.append(key)
                motions = tuple(start.motions) if start else tuple(_still(each) for each in people)
                step = np.array([0.0, 0.0, 0.01])
                return Estimate(
                    camera, tuple(replace(each, transl=each.transl + step) for each in motions)
                )

            return estimate

        return load


def _still(person: Person) -> Motion:
    count = len(person.times_s)
    return Motion(
        person=person.person,
        times_s=person.times_s,
        global_orient=np.tile([np.pi, 0, 0], (count, 1)),
        body_pose=np.zeros((count, 23, 3)),
        betas=np.zeros(10),
        transl=np.tile([0, 0, 4.0], (count, 1)),
        confidence=np.ones(count),
    )


@pytest.fixture
def toys(monkeypatch):
    found = Toys()
    table = {key: {"embedded": found.loader(key)} for key in ("vibe", "smplify", "humor")}
    monkeypatch.setattr(humor_takes, "ESTIMATORS", table)
    apart = found.loader("no initial-state prior")
    monkeypatch.setattr(humor_solvers.refine, "estimator_of", apart)
    few = replace(humor_solvers.READ, held=0, free=1, iterations=2)
    monkeypatch.setattr(humor_solvers, "READ", few)
    return found


@pytest.fixture
def data(tmp_path):
    clip = toy_clip(frames=FRAMES)
    poses = np.concatenate([clip.global_orient[:, None], clip.body_pose], axis=1)
    np.savez(
        tmp_path / "cmu_test.npz",
        poses=poses.astype(np.float16),
        trans=clip.pelvis.astype(np.float32),
    )
    entry = {"id": "a", "kind": "walk", "subject": "7", "start": 0, "frames": FRAMES}
    entry |= {"shard": "cmu_test.npz", "feet_ok": True}
    (tmp_path / "index.json").write_text(json.dumps({"clips": [entry]}), encoding="utf-8")
    return tmp_path


def quiet(_stage, _done, _of):
    pass


def test_every_chain_is_tried_and_its_steps_are_made_once(toys, data):
    plan = Plan(data, data / "films", threads=1, claims=("takes", "ablations"))

    found = humor.run(plan, quiet)

    names = [each.chain for each in found.takes]
    assert names == ["vibe", "vibe+smplify", "vibe+humor", "vibe+smplify+humor"]
    assert [each.chain for each in found.ablations][1:] == ["no prior", "no contacts", "neither"]
    assert toys.made.count("vibe") == toys.made.count("smplify") == 1
    assert toys.made.count("humor") == 2 + 3
    assert not found.films


def test_pages_show_every_take_and_what_was_wanted(toys, data):
    found = humor.run(Plan(data, data, threads=1, claims=("takes", "solvers")), quiet)

    page = humor_pages.page(found)

    assert "| vibe+smplify+humor |" in page
    assert "against vibe" in page
    assert "-60 %" in page
    assert "| paper |" in page
    assert f"| of these | {humor_solvers.APART} |" in page
    assert f"| shots | {humor_solvers.APART} |" not in page


def test_bounds_are_of_the_same_shots_with_nothing_hidden(toys, data, monkeypatch):
    monkeypatch.setattr(humor_bounds, "LEARNT", "test")
    monkeypatch.setattr(humor_bounds, "_FRAMES", 20)

    found = humor.run(Plan(data, data, threads=1, claims=("bounds",)), quiet)

    page = humor_pages.page(found)
    assert toys.made.count("vibe") == toys.made.count("humor") == 2
    hidden, seen = found.bounds.hidden[0].found, found.bounds.seen[0].found
    assert hidden.hidden_mm.shape == seen.hidden_mm.shape
    assert f"| {humor_bounds.SILENT} |" in page
    assert ", nothing hidden" in page


def test_solvers_are_tried_on_brief_stretches_of_few_shots(toys, data):
    found = humor.run(Plan(data, data, threads=1, claims=("solvers",)), quiet).solvers

    assert [each.tried.chain for each in found] == ["fast", "paper", humor_solvers.APART]
    assert toys.made.count("no initial-state prior") == 1
    frames = {len(each.tried.estimate.motions[0].times_s) for each in found}
    assert frames == {round(30 * humor_solvers.BRIEF_S)}
    assert all(np.isfinite(each.objective) for each in found)


def test_weights_come_with_those_that_their_training_put_beside_them(tmp_path):
    path = tmp_path / "mine.safetensors"
    bench = humor_takes.Bench(networks={"humor": path, "vibe": path})

    tools = bench.tools("humor")

    assert tools.network == path
    assert tools.networks == {
        "humor_pose_embedded": tmp_path / "mine_pose.safetensors",
        "humor_start_embedded": tmp_path / "mine_start.safetensors",
    }
    assert not bench.tools("vibe").networks
    assert bench.tools("smplify").network is None


@pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed"
)
def test_plots_are_drawn(toys, data, tmp_path):
    found = humor.run(Plan(data, data, threads=1, claims=("takes",)), quiet)

    paths = humor_pages.draw(found, tmp_path)

    assert [each.name for each in paths] == [humor_pages.TAKES, SPELL, STEPS]
    assert all(each.stat().st_size > 1000 for each in paths)


def test_a_strip_has_a_line_for_each_take_and_shows_who_is_hidden_in_another_colour():
    person = Person(
        person=0,
        times_s=np.arange(4) / 30,
        boxes=np.zeros((4, 4)),
        keypoints=np.zeros((4, 33, 3)),
        landmarks3d=np.zeros((4, 33, 3)),
        presence=np.ones(4),
    )
    row = Row(_still(person), Camera(1000.0, np.zeros(2), (1000, 1000)))
    hidden, template = np.array([False, True, False, False]), bodies.embedded("neutral")

    whole, feet = (
        strip({"a": row, "b": row}, [0, 1], hidden=hidden, template=template, view=view)
        for view in (WHOLE, FEET)
    )

    assert whole.shape == feet.shape
    above, below = np.split(whole, 2)
    assert np.abs(above[30:].astype(int) - below[30:]).max() == 0
    seen, behind = np.split(above[30:].astype(int), 2, axis=1)
    assert (seen[..., 2] - seen[..., 0]).max() > 40  # blue
    assert (behind[..., 0] - behind[..., 2]).max() > 40  # orange


def test_shots_count_by_their_values():
    few, many = (
        Tried("a", "s", "walk", Grounded(*(np.full(n, value) for _ in range(8))), 1.0, None)
        for n, value in ((1, 8.0), (3, 0.0))
    )

    assert humor.averaged([few, many])["a"].pa_mm == 2.0
    assert list(humor.by_kind([few, replace(many, kind="run")])) == ["run", "walk"]


def test_an_unknown_chain_has_its_methods_own_options():
    steps = chain("vibe", "humor").steps

    assert [key for key, _ in steps] == ["vibe", "humor"]
    assert steps[1][1].prior == 1.0


def test_legs_are_judged_where_they_are_hidden(toys):
    count = 20
    limbs = np.random.default_rng(0).uniform([-0.5, -0.5, 3.5], [0.5, 0.5, 4.5], (count, 12, 3))
    truth = Truth(
        camera_name="c",
        person_name="p",
        fps=30.0,
        limbs_world=limbs,
        valid=np.ones((count, 12), dtype=bool),
        feet_world=np.full((count, 4, 3), np.nan),
        intrinsics=np.array([[1000.0, 0, 500], [0, 1000.0, 500], [0, 0, 1]]),
        distortion=np.zeros(4),
        rotation=np.eye(3),
        translation=np.zeros(3),
    )
    hidden = np.zeros((count, 12), dtype=bool)
    hidden[5:10, LIMB_JOINTS.index("left_ankle")] = True
    said = limbs.copy()
    said[5:10, LIMB_JOINTS.index("left_ankle")] += 0.3
    film = Film("f", (), None, truth, hidden)

    row = humor_video._filmed(DETECTOR, said, truth.times_s, film, found=None)

    assert row.legs_mm > 2 * row.pa_mm
    assert np.allclose(row.curve[:5], 0, atol=1e-6)
    assert "| f | detector |" in humor_pages.page(Findings(films=[row]))
