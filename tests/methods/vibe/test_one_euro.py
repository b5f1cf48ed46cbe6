import math

import pytest
import torch
from stripmocap.geometry.rotations import aa_to_matrix, matrix_to_aa
from stripmocap.methods.vibe.one_euro import (
    OF_BODIES,
    PUBLISHED,
    at_strength,
    of_numbers,
    of_rotations,
    smoothed,
    smoothed_as_published,
)
from torch.testing import assert_close


def turning(times_s, *, axis=(1.0, 2.0, -0.5), speed=3.0):
    """(T, 1, 3, 3) swings about one axis, at most `speed` rad/s."""
    direction = torch.nn.functional.normalize(torch.tensor(axis, dtype=torch.float64), dim=0)
    angle = torch.sin(speed * times_s)
    return aa_to_matrix(angle[:, None] * direction)[:, None]


def shaken(rotmat, *, seed=0, by=0.03):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(*rotmat.shape[:-2], 3, generator=generator, dtype=rotmat.dtype)
    return rotmat @ aa_to_matrix(by * noise)


def apart(one, other):
    """(...,) rad."""
    return matrix_to_aa(one.mT @ other).norm(dim=-1)


def clock(fps, seconds=4.0):
    return torch.arange(int(fps * seconds), dtype=torch.float64) / fps


@pytest.mark.parametrize("frames", [0, 1, 2, 5])
def test_what_stands_still_is_left_alone(frames):
    still = aa_to_matrix(torch.randn(24, 3, generator=torch.Generator().manual_seed(0)))
    rotmat = still.expand(frames, 24, 3, 3)

    assert_close(of_rotations(rotmat, times_s=clock(30)[:frames]), rotmat)
    numbers = torch.ones(frames, 72)
    assert_close(of_numbers(numbers, times=clock(30)[:frames]), numbers)


def test_a_first_step_is_worked_out_by_hand():
    got = of_numbers(torch.tensor([0.0, 1.0]), times=torch.arange(2.0), cutoffs=PUBLISHED)

    speed = 2 * math.pi / (2 * math.pi + 1)
    ratio = 2 * math.pi * (0.004 + 0.7 * speed)
    assert_close(got, torch.tensor([0.0, ratio / (ratio + 1)]))


def test_every_number_is_filtered_for_itself():
    values = torch.randn(9, 4, generator=torch.Generator().manual_seed(1))

    together = of_numbers(values, times=torch.arange(9.0))

    alone = [of_numbers(each, times=torch.arange(9.0)) for each in values.T]
    assert_close(together, torch.stack(alone, dim=1))


@pytest.mark.parametrize("fps", [12, 30, 120])
def test_a_shaken_turn_comes_nearer_to_the_turn(fps):
    clean = turning(clock(fps))
    noisy = shaken(clean)

    calm = of_rotations(noisy, times_s=clock(fps))

    assert apart(calm, clean).mean() < 0.95 * apart(noisy, clean).mean()


def test_bodies_shake_less_at_rest():
    clean = torch.eye(3, dtype=torch.float64).expand(120, 24, 3, 3)
    noisy = shaken(clean)

    calm = of_rotations(noisy, times_s=clock(30))

    assert apart(calm, clean).mean() < 0.6 * apart(noisy, clean).mean()
    assert apart(calm[1:], calm[:-1]).mean() < apart(noisy[1:], noisy[:-1]).mean() / 2.5


@pytest.mark.parametrize("fps", [30, 60, 120])
def test_a_clean_turn_is_hardly_changed_and_not_delayed(fps):
    times_s = clock(fps)
    clean = turning(times_s, speed=2.0)

    calm = of_rotations(clean, times_s=times_s)

    assert apart(calm, clean)[fps // 2 : -fps // 2].max() < 0.04


def test_frame_rate_hardly_matters():
    fine, coarse = clock(120), clock(30)

    every = of_rotations(turning(fine), times_s=fine)[::4]

    assert apart(every, of_rotations(turning(coarse), times_s=coarse)).max() < 0.03


def test_a_full_turn_does_not_jump_where_axis_angles_wrap():
    times_s = clock(30)
    spin = aa_to_matrix(times_s[:, None] * torch.tensor([0.0, 4.0, 0.0], dtype=torch.float64))

    calm = of_rotations(spin[:, None], times_s=times_s)

    assert apart(calm[1:], calm[:-1]).max() < 1.2 * 4.0 / 30
    assert_close(calm @ calm.mT, torch.eye(3, dtype=torch.float64).expand_as(calm))


def test_time_run_backwards_gives_the_same():
    times_s = clock(30)
    noisy = shaken(turning(times_s))

    there = of_rotations(noisy, times_s=times_s)
    back = of_rotations(noisy.flip(0), times_s=(times_s[-1] - times_s).flip(0)).flip(0)

    assert_close(there, back)


def test_another_frame_of_reference_turns_the_answer_with_it():
    times_s = clock(30)
    noisy = shaken(turning(times_s))
    camera = aa_to_matrix(torch.tensor([0.3, -2.0, 1.0], dtype=torch.float64))

    seen = of_rotations(camera @ noisy, times_s=times_s)

    assert_close(seen, camera @ of_rotations(noisy, times_s=times_s))


def test_frames_at_one_time_give_numbers():
    rotmat = shaken(turning(clock(30)))[:5]

    calm = of_rotations(rotmat, times_s=torch.tensor([0.0, 0.0, 0.1, 0.1, 0.2]))

    assert calm.isfinite().all()


def test_rotations_of_bodies_stay_in_their_precision():
    rotmat = torch.eye(3).expand(4, 24, 3, 3)

    assert of_rotations(rotmat, times_s=clock(30)[:4]).dtype == torch.float32


def test_more_strength_makes_calmer():
    times_s = clock(30)
    noisy = shaken(turning(times_s, speed=0.2))

    def shake(strength):
        calm = smoothed(noisy, times_s=times_s.numpy(), strength=strength)
        return apart(calm[1:], calm[:-1]).mean()

    assert shake(4.0) < shake(1.0) < shake(0.25) < shake(0.0)


def test_no_strength_leaves_rotations_as_they_are():
    noisy = shaken(turning(clock(30)))

    assert smoothed(noisy, times_s=clock(30), strength=0.0) is noisy
    assert smoothed_as_published(noisy, strength=0.0) is noisy


def test_strength_one_is_that_of_the_table():
    times_s = clock(30)
    noisy = shaken(turning(times_s))

    assert at_strength(OF_BODIES, 1.0) == OF_BODIES
    assert_close(
        smoothed(noisy, times_s=times_s, strength=1.0), of_rotations(noisy, times_s=times_s)
    )


def test_the_published_filter_works_on_axis_angles_by_frame():
    noisy = shaken(turning(clock(30)))

    calm = smoothed_as_published(noisy, strength=1.0)

    aa = of_numbers(matrix_to_aa(noisy), times=torch.arange(float(len(noisy))), cutoffs=PUBLISHED)
    assert_close(calm, aa_to_matrix(aa))
