"""The measurement, tried on errors that are known because they were made."""

import numpy as np
import pytest
import torch
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES
from stripmocap.experiments.keypoint_noise import Seen, by_chance, measure
from stripmocap.people.sides import OTHER_SIDE
from stripmocap.training import noise
from stripmocap.training.noise import KINDS, SWAPS, TABLE, Chances, biased, observed, pulled

FRAMES, SCENES, FPS = 16, 150, 15.0


def made_scene(number):
    """A person who faces the camera or shows the back, with the errors of `training.noise`."""
    generator = torch.Generator().manual_seed(number)
    landmarks = torch.randn(33, 3, generator=generator).expand(FRAMES, -1, -1)
    landmarks = landmarks + torch.tensor([0.0, 0.0, 30.0])
    state = torch.randint(0, 4, (1, 33), generator=generator).expand(FRAMES, -1)
    rotations = torch.linalg.qr(torch.randn(24, 3, 3, generator=generator))[0]
    rotations = rotations * torch.linalg.det(rotations)[:, None, None]
    rotations = rotations.expand(FRAMES, -1, -1, -1)
    away = torch.full((FRAMES,), float(number % 2))
    found = observed(
        biased(landmarks, rotations)[..., :2],
        state=state,
        size=torch.full((FRAMES, 2), 1e9),
        px_per_m=torch.ones(FRAMES),
        away=away,
        chances=Chances.over_time(FRAMES, generator, fps=FPS),
    )
    clean = pulled(
        landmarks[..., :2],
        state=state,
        size=torch.full((FRAMES, 2), 1e9),
        px_per_m=torch.ones(FRAMES),
    ).numpy()
    guess = noise.metric_landmarks(landmarks, found[..., 2], generator, fps=FPS)
    hips = [BLAZEPOSE_NAMES.index(f"{side}_hip") for side in ("left", "right")]
    return Seen(
        scene=number,
        frame=np.arange(FRAMES),
        step_s=1 / FPS,
        residual=found[..., :2].numpy() - clean,
        score=found[..., 2].numpy(),
        state=state.numpy(),
        rotations=rotations.numpy(),
        away=away.numpy(),
        apart=clean[:, OTHER_SIDE] - clean,
        guess=guess.numpy(),
        about=(landmarks - landmarks[:, hips].mean(dim=1, keepdim=True)).numpy(),
    )


@pytest.fixture(scope="module")
def scenes():
    # Nobody is outside: half of what is drawn would be beyond an edge at zero.
    return [made_scene(number) for number in range(SCENES)]


@pytest.fixture(scope="module")
def measured(scenes):
    return measure(scenes)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_and_scores_of_what_is_seen_are_found_again(measured, kind):
    made = TABLE[0][KINDS.index(kind)]
    found = measured.table[0][KINDS.index(kind)]

    # What is far off now and then lifts the middle a little.
    assert found.error_mm == pytest.approx(made.error_mm, rel=0.35)
    assert found.logit == pytest.approx(made.logit, abs=0.6)
    assert found.told == pytest.approx(made.told, abs=0.2)


def test_biases_are_found_again_in_the_axes_of_the_bone(measured):
    for name, (joint, offset) in noise.BIAS_MM.items():
        found_joint, found = measured.bias_mm[name]

        assert found_joint == joint
        np.testing.assert_allclose(found, offset, atol=9)


def test_exchanges_are_found_again_and_set_right(scenes, measured):
    for part, rate in SWAPS.items():
        assert measured.swaps[part][0] == pytest.approx(rate, abs=0.02)
    right = np.concatenate([each.residual for each in by_chance(scenes, measured)])
    raw = np.concatenate([each.residual for each in scenes])
    assert (np.abs(right) > 0.5).mean() < 0.5 * (np.abs(raw) > 0.5).mean()


def test_what_a_limb_shares_and_what_changes_slowly_are_found_again(measured):
    assert measured.limb_share > measured.person_share + 0.2
    share, seconds = measured.slow["own"]
    assert share == pytest.approx(noise.SLOW["own"][0], abs=0.12)
    assert seconds == pytest.approx(noise.SLOW["own"][1], rel=0.6)


def test_three_dimensions_are_found_again(measured):
    np.testing.assert_allclose(measured.metric.shrinkage, noise.METRIC_SHRINKAGE, atol=0.05)
    knee = KINDS.index("knee")
    np.testing.assert_allclose(measured.metric.error_mm[knee], noise.METRIC_MM[knee], rtol=0.6)
    np.testing.assert_allclose(measured.metric.lean, noise.METRIC_LEAN, rtol=0.6)


def test_a_kind_hardly_seen_gets_the_numbers_of_its_state(scenes):
    few = measure(scenes[:3])

    assert np.isfinite([[row for row in rows] for rows in few.table]).all()
    assert few.counts.sum() == 3 * FRAMES * 33
