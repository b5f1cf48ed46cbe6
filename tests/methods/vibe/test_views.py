import torch
from stripmocap.methods.features.keypoints import FLAT_NUMBERS, NUMBERS, SCORES, view_of
from stripmocap.methods.vibe.views import LOST_SHARE, views_over_time
from torch.testing import assert_close

CENTER = torch.tensor([500.0, 400.0])


def keypoints(people=2, frames=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    places = 300 + 100 * torch.randn(people, frames, 33, 2, generator=generator)
    scores = torch.rand(people, frames, 33, 1, generator=generator)
    return torch.cat([places, 0.4 + 0.6 * scores], dim=-1)


def guesses(seed=1):
    return 0.3 * torch.randn(2, 6, 33, 3, generator=torch.Generator().manual_seed(seed))


def test_people_who_are_always_seen_have_the_views_of_single_frames():
    seen, guess = keypoints(), guesses()

    found = views_over_time(
        seen, focal=torch.tensor([900.0, 700.0]), center=CENTER, landmarks3d=guess
    )

    second = view_of(seen[1], focal=700.0, center=CENTER, landmarks3d=guess[1])
    assert_close(found.numbers.unflatten(0, (2, 6))[1], second.numbers)
    assert_close(found.box_center[6:], second.box_center)


def test_box_of_a_gap_lies_between_those_around_it():
    seen = keypoints()
    seen[0, 2:4, :, 2] = 0.0

    found = views_over_time(seen, focal=800.0, center=CENTER, landmarks3d=guesses())

    middle, side = found.box_center[:6], found.box_side[:6]
    assert_close(middle[2], middle[1] + (middle[4] - middle[1]) / 3)
    assert_close(side[3], (side[1] * side[4] ** 2) ** (1 / 3))


def test_box_stays_before_the_first_sighting_and_after_the_last():
    seen = keypoints()
    seen[0, [0, 1, 5], :, 2] = 0.0

    found = views_over_time(seen, focal=800.0, center=CENTER, landmarks3d=guesses())

    assert_close(found.box_center[:2], found.box_center[2].expand(2, 2))
    assert_close(found.box_side[5], found.box_side[4])


def test_whoever_is_lost_is_shown_between_the_neighbours_and_half_as_sure():
    seen, guess = keypoints(), guesses()
    seen[0, 2:4, :, 2] = 0.0
    halfway = seen[0, 1] + (seen[0, 4] - seen[0, 1]) / 3

    found = views_over_time(seen, focal=800.0, center=CENTER, landmarks3d=guess)

    scores = found.numbers[2, SCORES]
    assert_close(scores, LOST_SHARE * halfway[:, 2])
    places = found.numbers[2, :66].unflatten(0, (33, 2))
    within = (halfway[:, :2] - found.box_center[2]) / (found.box_side[2] / 2)
    assert_close(places, within.clamp(-2, 2), atol=1e-4, rtol=1e-4)
    assert_close(
        found.numbers[2, FLAT_NUMBERS : FLAT_NUMBERS + 99],
        (guess[0, 1] + (guess[0, 4] - guess[0, 1]) / 3).clamp(-1.5, 1.5).flatten(),
    )


def test_what_stands_in_a_gap_is_not_looked_at():
    seen, guess = keypoints(), guesses()
    seen[0, 2:4, :, 2] = 0.0
    other, otherwise = seen.clone(), guess.clone()
    other[0, 2:4, :, :2] = 1e4
    otherwise[0, 2:4] = 7.0

    found = views_over_time(seen, focal=800.0, center=CENTER, landmarks3d=guess)
    same = views_over_time(other, focal=800.0, center=CENTER, landmarks3d=otherwise)

    assert_close(found.numbers, same.numbers)


def test_somebody_who_is_never_seen_has_numbers():
    nobody = torch.zeros(1, 4, 33, 3)

    found = views_over_time(nobody, focal=800.0, center=CENTER, landmarks3d=nobody)

    assert found.numbers.shape == (4, NUMBERS)
    assert torch.isfinite(found.numbers).all()
