from dataclasses import fields, replace

import pytest
import torch
from humorscenes import drifting, exact_problem, nudged, toy_figure, toy_priors
from stripmocap.methods.humor import paper
from stripmocap.methods.humor.motion_objective import SHORT, Unknowns
from stripmocap.methods.humor.objective import Frames, weighed
from stripmocap.methods.humor.paper import Diverged, Schedule

BRIEF = Schedule(placing=3, posing=3, short=2, held=2, free=2, iterations=5)


@pytest.fixture(scope="module")
def priors():
    return toy_priors()


@pytest.fixture(scope="module")
def truth(priors):
    return drifting(priors, frames=18)


@pytest.fixture(scope="module")
def problem(truth, priors):
    return exact_problem(truth, figure=toy_figure(), priors=priors)


@pytest.fixture(scope="module")
def run(problem, truth):
    tried = []
    start = nudged(truth, by=0.05)
    return paper.solve(problem, start, schedule=BRIEF, watch=tried.append), tried


def test_every_stage_ends_lower_than_it_began(run):
    _, tried = run

    for stage in ("placing", "posing", "short", "held", "free"):
        energies = [each.energy for each in tried if each.stage == stage]
        assert min(energies) < energies[0]


def test_stages_go_one_after_the_other(run):
    _, tried = run

    stages = list(dict.fromkeys(each.stage for each in tried))
    assert stages == ["placing", "posing", "short", "held", "free"]
    assert {each.step for each in tried if each.stage == "posing"} == {0, 1, 2}


def test_only_places_and_turns_change_at_first(run, truth):
    fitted, _ = run
    start = nudged(truth, by=0.05)

    torch.testing.assert_close(fitted.placed.pose_latents, start.pose_latents)
    torch.testing.assert_close(fitted.placed.betas, start.betas)
    assert not torch.equal(fitted.posed.pose_latents, start.pose_latents)


def test_what_is_led_to_is_of_the_unknowns_that_were_found(run, problem):
    fitted, tried = run

    found = float(weighed(paper.objective(problem, fitted.unknowns), problem.weights))

    assert found <= min(each.energy for each in tried if each.stage == "free") * (1 + 1e-9)
    assert fitted.led.points.shape[:2] == (1, 18)
    assert not fitted.led.points.requires_grad


def test_contacts_do_not_count_while_the_first_moment_is_held(run):
    _, tried = run

    held = [each.energies for each in tried if each.stage == "held"]
    others = [each.energies for each in tried if each.stage in {"short", "free"}]
    assert all("skating" not in each for each in held)
    assert all("skating" in each for each in others)


def test_known_shape_and_floor_stay(problem, truth):
    known = replace(problem, known=frozenset({"betas", "floor"}))

    fitted = paper.solve(known, nudged(truth, by=0.05), schedule=BRIEF)

    torch.testing.assert_close(fitted.unknowns.betas, truth.betas)
    torch.testing.assert_close(fitted.unknowns.floor, problem.observed.floor)


def test_motions_shorter_than_the_first_phase_are_solved(priors):
    truth = drifting(priors, frames=2)
    problem = exact_problem(truth, figure=toy_figure(), priors=priors)

    fitted = paper.solve(problem, truth, schedule=BRIEF)

    assert SHORT > 2
    assert fitted.led.in_camera.isfinite().all()
    assert fitted.unknowns.latents.shape[1] == 1


def test_a_stage_that_gains_too_little_is_done(problem, truth):
    tried = []
    noise = torch.randn(
        problem.observed.keypoints.shape, generator=torch.Generator().manual_seed(1)
    )
    keypoints = problem.observed.keypoints + 5 * noise
    noisy = replace(problem, observed=replace(problem.observed, keypoints=keypoints))
    easy = replace(BRIEF, placing=50, posing=0, short=0, held=0, free=0, enough=0.05)

    paper.solve(noisy, truth, schedule=easy, watch=tried.append)

    assert max(each.step for each in tried) < 10


def test_who_watches_can_stop_it(problem, truth):
    def stop(tried):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paper.solve(problem, truth, schedule=BRIEF, watch=stop)


def test_a_fit_that_leaves_the_numbers_says_so(problem, truth):
    broken = replace(truth, transl=truth.transl * torch.nan)

    with pytest.raises(Diverged, match="placing"):
        paper.solve(problem, broken, schedule=BRIEF)


def test_the_published_schedule_is_of_180_steps():
    assert Schedule().steps == 180


def test_records_of_a_fit_carry_no_gradients(run):
    fitted, _ = run

    for record, kind in ((fitted.posed, Frames), (fitted.unknowns, Unknowns)):
        assert not any(getattr(record, each.name).requires_grad for each in fields(kind))
