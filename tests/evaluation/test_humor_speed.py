"""The benchmark of HuMoR's solvers, on a handful of frames with small random networks."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from stripmocap import bodies
from stripmocap.body.landmarks import MeshKeypoints, blazepose_rows
from stripmocap.body.model import Body
from stripmocap.contract.motion import Camera, Motion
from stripmocap.evaluation import humor_published_way as published_way
from stripmocap.evaluation import humor_speed
from stripmocap.evaluation.humor_published_way import Mesh
from stripmocap.evaluation.humor_speed import Curves, Point, Step
from stripmocap.methods.humor import motion_objective, objective, paper, paper_start
from stripmocap.methods.humor.figure import Figure
from stripmocap.methods.humor.initial_state import NUMBERS, InitialStatePrior
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.methods.humor.objective import Priors
from stripmocap.methods.humor.paper import Schedule
from stripmocap.methods.humor.pose_prior import PosePrior, PoseSizes
from stripmocap.people.observations import Person

FRAMES, FPS, FOCAL_PX = 6, 30.0, 1000.0
UPRIGHT = np.array([np.pi, 0.0, 0.0])


@pytest.fixture(scope="module")
def template():
    return bodies.embedded("neutral")


@pytest.fixture(scope="module")
def camera():
    world = Camera(FOCAL_PX, np.zeros(2), (1000, 1000)).world_from_camera.copy()
    world[2, 3] = 1.0
    return Camera(FOCAL_PX, np.array([500.0, 500.0]), (1000, 1000), world)


@pytest.fixture(scope="module")
def motion():
    rng = np.random.default_rng(0)
    return Motion(
        person=0,
        times_s=np.arange(FRAMES) / FPS,
        global_orient=UPRIGHT + 0.02 * rng.standard_normal((FRAMES, 3)),
        body_pose=0.1 * rng.standard_normal((1, 23, 3))
        + 0.01 * rng.standard_normal((FRAMES, 23, 3)),
        betas=0.2 * rng.standard_normal(10),
        transl=np.array([0.0, 0.0, 4.0]) + 0.01 * rng.standard_normal((FRAMES, 3)),
        confidence=np.ones(FRAMES),
    )


@pytest.fixture(scope="module")
def person(motion):
    rng = np.random.default_rng(1)
    keypoints = np.concatenate(
        [rng.uniform(300, 700, (FRAMES, 33, 2)), rng.uniform(0, 1, (FRAMES, 33, 1))], axis=-1
    )
    return Person(
        person=0,
        times_s=motion.times_s,
        boxes=np.tile([300.0, 300.0, 700.0, 700.0], (FRAMES, 1)),
        keypoints=keypoints,
        landmarks3d=np.zeros((FRAMES, 33, 3)),
        presence=np.ones(FRAMES),
    )


def priors_of(dtype):
    torch.manual_seed(0)
    motion = MotionPrior(Sizes(latent=6, hidden=64, layers=2)).to(dtype)
    pose = PosePrior(PoseSizes(hidden=32)).to(dtype)
    with torch.no_grad():
        for each in motion.decoder.parameters():
            each.mul_(0.3)  # so that what is random stays near the floor
    eye = np.eye(NUMBERS)[None]
    initial = InitialStatePrior.from_mixture(
        np.zeros((1, NUMBERS)), eye, weights=np.ones(1), dtype=dtype
    )
    return Priors(motion.eval().requires_grad_(False), pose.eval().requires_grad_(False), initial)


def doubled(problem):
    observed = problem.observed
    parts = {
        name: getattr(observed, name).double()
        for name in ("keypoints", "confidence", "focal", "center", "floor")
    }
    return replace(problem, observed=replace(observed, **parts))


@pytest.fixture(scope="module")
def exact(template, person, camera):
    """The problem and the whole mesh in double precision."""
    figure = Figure.of_blazepose(template, dtype=torch.float64)
    problem = humor_speed.problem_of(person, camera, figure=figure, priors=priors_of(torch.float64))
    body = Body.from_template(template, dtype=torch.float64)
    reader = MeshKeypoints.from_rows(blazepose_rows(template), dtype=torch.float64)
    return doubled(problem), Mesh(body, reader)


@pytest.fixture(scope="module")
def frames(exact):
    problem, _ = exact
    drawn = torch.Generator().manual_seed(2)
    start = paper_start.resting(problem, ((11, 13), (23, 25)))
    return replace(
        start,
        global_orient=start.global_orient
        + 0.1 * torch.randn(1, FRAMES, 3, generator=drawn, dtype=torch.float64),
        pose_latents=0.2 * torch.randn(1, FRAMES, 32, generator=drawn, dtype=torch.float64),
        betas=0.3 * torch.randn(1, 10, generator=drawn, dtype=torch.float64),
    )


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        # The reduced body is folded in double precision and the mesh is not quite.
        assert float(value) == pytest.approx(float(theirs[name]), rel=1e-4, abs=1e-9), name


def test_the_published_way_of_the_first_stages_says_the_same(exact, frames):
    problem, mesh = exact

    assert_same(objective.placing(problem, frames), published_way.placing(problem, mesh, frames))
    assert_same(objective.posing(problem, frames), published_way.posing(problem, mesh, frames))


def test_the_published_way_of_the_third_stage_says_the_same(exact, frames):
    problem, mesh = exact
    unknowns = paper_start.begin(problem, frames)

    ours = paper.objective(problem, unknowns)

    assert_same(ours, published_way.leading(problem, mesh, unknowns))


def test_a_motion_read_as_unknowns_begins_where_it_does(template, person, camera, motion):
    figure = Figure.of_blazepose(template)
    problem = humor_speed.problem_of(person, camera, figure=figure, priors=priors_of(torch.float32))

    unknowns = humor_speed.unknowns_of(problem, motion)

    led = motion_objective.led(problem, unknowns)
    first = led.in_camera[0, 0, 0]
    pelvis = torch.tensor(motion.transl[0]) + figure.rest_pelvis(torch.tensor(motion.betas))
    torch.testing.assert_close(first, pelvis.float(), atol=1e-4, rtol=0)
    assert unknowns.latents.shape == (1, FRAMES - 1, 6)


def test_all_three_are_timed_and_the_slow_ones_take_the_same_steps(
    template, person, camera, motion
):
    figure = Figure.of_blazepose(template)
    problem = humor_speed.problem_of(person, camera, figure=figure, priors=priors_of(torch.float32))
    schedule = Schedule(placing=1, posing=1, short=1, held=1, free=1, iterations=2)

    found = humor_speed.compare(
        problem,
        Mesh.from_template(template),
        [Step(motion, 0.5), Step(motion, 1.0)],
        report=lambda stage, done, of: None,
        schedule=schedule,
    )

    published, ours = found.curves["published"], found.curves["paper"]
    assert [each.value for each in published] == [each.value for each in ours]
    assert [each.seconds for each in published] == sorted(each.seconds for each in published)
    assert found.curves["fast"][1].seconds == 1.5
    assert min(found.evaluations.values()) > 0
    assert found.apart < 1e-2
    assert json.loads(json.dumps(found.to_json()))["to_equal_value"]["published"] > 0


def test_time_to_equal_value_is_when_it_is_first_reached():
    curves = {
        "published": [Point(1.0, 9.0), Point(100.0, 5.0)],
        "paper": [Point(1.0, 9.0), Point(30.0, 5.0)],
        "fast": [Point(2.0, 6.0), Point(3.0, 4.0), Point(4.0, 3.0)],
    }

    found = Curves(curves, {}, {}, {}, 0.0).to_equal_value()

    assert found == {"published": 100.0, "paper": 30.0, "fast": 3.0}


def test_a_value_that_is_never_reached_has_no_time():
    curves = {"published": [Point(1.0, 5.0)], "fast": [Point(2.0, 6.0)]}

    assert Curves(curves, {}, {}, {}, 0.0).to_equal_value()["fast"] is None


def test_a_curve_is_told_by_the_points_that_matter():
    points = [Point(1.0, 100.0), Point(2.0, 99.9), Point(3.0, 50.0), Point(4.0, 49.9)]

    assert humor_speed.thinned(points) == [points[0], points[2], points[3]]
