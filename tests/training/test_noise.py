import pytest
import torch
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES
from stripmocap.people.sides import OTHER_SIDE
from stripmocap.training import noise
from stripmocap.training.noise import (
    KINDS,
    METRIC_SHRINKAGE,
    TABLE,
    UNGUESSED,
    Chances,
    biased,
    guesses_apart,
    observed,
)
from stripmocap.training.occlusion import OUTSIDE, SEEN
from torch.testing import assert_close

COUNT = 4000
WRIST = BLAZEPOSE_NAMES.index("left_wrist")


def pictures(state=SEEN, *, away=0.0, seed=0):
    """Found keypoints of people whose landmarks lie apart, at a pixel a millimetre."""
    places = torch.arange(33 * 2).view(33, 2).float().expand(COUNT, -1, -1) * 1e5
    return places, observed(
        places,
        state=torch.full((COUNT, 33), state),
        size=torch.full((COUNT, 2), 1e7),
        px_per_m=torch.full((COUNT,), 1000.0),
        away=torch.full((COUNT,), away),
        chances=Chances.draw(COUNT, torch.Generator().manual_seed(seed)),
    )


def of_own_names(places, found):
    """(N,) px, one axis' errors of the left wrist where it is not taken for another."""
    error = (found[:, WRIST, :2] - places[:, WRIST]).flatten()
    return error[error.abs() < 1e4]


@pytest.mark.parametrize("state", [SEEN, OUTSIDE])
def test_median_error_is_that_of_the_table(state):
    row = TABLE[state][KINDS.index("wrist")]

    error = of_own_names(*pictures(state))

    # |N(0, s)| has its median at 0.674 s; spreads of the scale widen it a little.
    assert error.abs().median() == pytest.approx(0.674 * row.error_mm, rel=0.2)


@pytest.mark.parametrize("state", [SEEN, OUTSIDE])
def test_scores_are_those_of_the_table(state):
    row = TABLE[state][KINDS.index("wrist")]

    score = pictures(state)[1][:, WRIST, 2]

    assert torch.logit(score[score > 0]).median() == pytest.approx(row.logit, abs=0.4)


def test_sure_landmarks_are_nearer():
    places, found = pictures()
    error = (found[:, WRIST, :2] - places[:, WRIST]).norm(dim=1)
    score = found[:, WRIST, 2]

    sure = score > score.median()

    assert error[sure].median() < 0.8 * error[~sure].median()


def test_landmarks_of_a_limb_err_together_and_those_of_different_limbs_do_not():
    places, found = pictures()
    error = (found[..., 0] - places[..., 0]).clamp(-300, 300).sign()
    elbow, knee = (BLAZEPOSE_NAMES.index(name) for name in ("left_elbow", "right_knee"))

    with_elbow = (error[:, WRIST] * error[:, elbow]).mean()
    with_knee = (error[:, WRIST] * error[:, knee]).mean()

    assert with_elbow > with_knee + 0.1


@pytest.mark.parametrize("away", [0.0, 1.0])
def test_left_is_taken_for_right_as_often_as_tabled(away):
    rates = noise.SWAPS if away == 0 else noise.SWAPS_FROM_BEHIND
    places, found = pictures(away=away)
    hip = BLAZEPOSE_NAMES.index("left_hip")

    other = places[:, OTHER_SIDE[hip]]
    share = ((found[:, hip, :2] - other).norm(dim=1) < 1e4).float().mean()

    assert share == pytest.approx(rates["all"], abs=0.012)


def test_nobody_keeps_half_a_name():
    places, found = pictures(away=1.0)
    whose = torch.cdist(found[..., :2], places[0]).argmin(dim=2)

    own, other = torch.arange(33), torch.tensor(OTHER_SIDE)

    assert ((whose == own) | (whose == other)).all()
    assert (whose.sort(dim=1).values == own).all()


def test_a_dropped_landmark_has_score_zero_and_few_are_dropped():
    score = pictures()[1][..., 2]

    assert (score == 0).float().mean() == pytest.approx(noise.DROPPED, abs=0.003)
    assert score.max() < 1


def test_what_lies_outside_is_put_nearer_to_the_picture():
    places = torch.tensor([[[-100.0, 50.0], [50.0, 50.0], [50.0, 300.0]]]).repeat(1, 11, 1)
    state = torch.tensor([[OUTSIDE, SEEN, OUTSIDE] * 11])

    found = noise.pulled(
        places, state=state, size=torch.tensor([[100.0, 100.0]]), px_per_m=torch.tensor([100.0])
    )

    assert_close(found[0, :3], torch.tensor([[-38.0, 50.0], [50.0, 50.0], [50.0, 183.0]]))


def test_biases_of_left_and_right_are_mirror_images():
    landmarks = torch.zeros(1, 33, 3)

    moved = biased(landmarks, torch.eye(3).expand(1, 24, 3, 3))[0]

    assert_close(moved[OTHER_SIDE] * torch.tensor([-1.0, 1.0, 1.0]), moved, atol=1e-6, rtol=0)


def test_series_over_time_are_standard_normal_and_slow():
    chances = Chances.over_time(20000, torch.Generator().manual_seed(0), fps=30.0)

    own = chances.own[:, WRIST, 0]
    alike = (own[1:] * own[:-1]).mean()

    assert own.std() == pytest.approx(1.0, abs=0.1)
    share, seconds = noise.SLOW["own"]
    assert alike == pytest.approx(share * 2.718 ** (-1 / 30 / seconds), abs=0.1)


def test_guesses_at_three_dimensions_are_flat_and_missing_for_some():
    generator = torch.Generator().manual_seed(4)
    landmarks = torch.randn(1, 33, 3, generator=generator).expand(COUNT, -1, -1)
    about = landmarks[0] - landmarks[0, [23, 24]].mean(dim=0)

    guess = guesses_apart(landmarks, torch.ones(COUNT, 33), generator)

    there = guess.flatten(1).any(dim=1)
    middle = guess[there].median(dim=0).values
    assert abs(float(there.float().mean()) - (1 - UNGUESSED)) < 0.05
    assert_close(middle, about * torch.tensor(METRIC_SHRINKAGE), atol=0.05, rtol=0.12)
