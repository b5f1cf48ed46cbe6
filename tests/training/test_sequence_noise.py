import pytest
import torch
from stripmocap.training import sequence_noise
from stripmocap.training.sequence_noise import (
    between_frames,
    chances_over_time,
    draw_rates,
    draw_tremble,
    guesses_over_time,
    seen_at,
)
from torch.testing import assert_close


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def alike(rows, people, frames):
    series = rows.unflatten(0, (people, frames))
    return float((series[:, 1:] * series[:, :-1]).mean() / series.square().mean())


def test_errors_of_one_person_change_slowly_and_those_of_two_have_nothing_in_common():
    chances = chances_over_time(50, torch.ones(40), generator())

    own = chances.own[..., 0]
    assert alike(own, 40, 50) > 0.7
    people = own.unflatten(0, (40, 50))
    assert abs(float((people[1:] * people[:-1]).mean())) < 0.05


def test_who_trembles_more_is_off_more_from_frame_to_frame():
    calm, restless = (
        chances_over_time(50, torch.full((20,), each), generator()).own.unflatten(0, (20, 50))
        for each in (0.5, 2.0)
    )

    assert float(restless.diff(dim=1).std()) > 1.5 * float(calm.diff(dim=1).std())


def test_fast_footage_trembles_less():
    slow, fast = (
        draw_tremble(torch.full((2000,), rate), generator()).mean() for rate in (30.0, 120.0)
    )

    assert_close(fast / slow, torch.tensor(0.5), atol=0.02, rtol=0)


def test_rates_are_the_ones_listed():
    drawn = draw_rates(500, generator())

    assert {float(rate) for rate in drawn} == {rate for _, rate in sequence_noise.RATES}


@pytest.mark.parametrize("rate", [12.0, 15.0, 24.0, 25.0])
def test_a_steady_motion_is_the_same_at_any_frame_rate(rate):
    index = torch.arange(40.0).expand(6, -1)

    found = between_frames(index[..., None], seen_at(40, torch.full((6,), rate), generator()))

    # Before the first frame filmed and after the last there is nothing to interpolate.
    assert_close(found[:, 5:-5, 0], index[:, 5:-5], atol=1e-4, rtol=0)


def test_slow_footage_has_only_its_own_frames():
    values = torch.randn(8, 60, 3, generator=generator(1))

    found = between_frames(values, seen_at(60, torch.full((8,), 12.0), generator()))

    kept = (found == values).all(dim=-1).float().mean()
    assert 0.35 < float(kept) < 0.5


def test_footage_of_our_rate_stays_as_it_is():
    values = torch.randn(4, 30, 3, generator=generator(1))

    for rate in (30.0, 120.0):
        assert_close(
            between_frames(values, seen_at(30, torch.full((4,), rate), generator())), values
        )


def test_some_have_no_guess_at_all_and_some_are_inside_out():
    people, frames = 400, 4
    landmarks = torch.randn(people, 1, 33, 3, generator=generator(1)).repeat(1, frames, 1, 1)
    scores = torch.ones(people * frames, 33)

    guess = guesses_over_time(
        landmarks.flatten(0, 1), scores, generator(), tremble=torch.ones(people)
    ).unflatten(0, (people, frames))

    nothing = (guess == 0).flatten(1).all(dim=1)
    assert abs(float(nothing.float().mean()) - sequence_noise.UNGUESSED) < 0.07
    assert ((guess == 0).flatten(1).any(dim=1) == nothing).all()
    about = landmarks - landmarks[:, :, [23, 24]].mean(dim=2, keepdim=True)
    depth = (guess[..., 2] * about[..., 2]).sum(dim=(1, 2))[~nothing]
    assert 0.01 < float((depth < 0).float().mean()) < 0.12
    assert torch.isfinite(guess).all()
