import pytest
import torch
from stripmocap.methods.features.keypoints import NUMBERS
from stripmocap.training import sequences
from stripmocap.training.sequences import MotionSampler, draw_missed, draw_spells
from stripmocap.training.synthetic import embedded_body
from torch.testing import assert_close
from toyclips import toy_clip

PEOPLE, FRAMES = 24, 40


@pytest.fixture(scope="module")
def body():
    return embedded_body()


@pytest.fixture(scope="module")
def clips():
    return (toy_clip(frames=120), toy_clip(name="run", kind="run", frames=90))


@pytest.fixture(scope="module")
def drawn(clips, body):
    return MotionSampler(clips, body, seed=1).draw(PEOPLE, FRAMES)


def test_a_seed_gives_the_same_sequences(clips, body, drawn):
    again = MotionSampler(clips, body, seed=1).draw(PEOPLE, FRAMES)

    assert torch.equal(again.samples.keypoints, drawn.samples.keypoints)
    assert torch.equal(again.missed, drawn.missed)


def test_a_sampler_goes_on_where_another_was(clips, body):
    one = MotionSampler(clips, body, seed=3)
    one.draw(2, 5)
    other = MotionSampler(clips, body, seed=4)
    other.load_state_dict(one.state_dict())

    assert torch.equal(one.draw(2, 5).samples.keypoints, other.draw(2, 5).samples.keypoints)


def test_everything_is_a_number_and_before_the_camera(drawn):
    samples = drawn.samples

    assert all(torch.isfinite(each).all() for each in vars(samples).values())
    assert float(samples.joints[..., 2].min()) > 0
    assert drawn.view().numbers.shape == (PEOPLE * FRAMES, NUMBERS)
    assert torch.isfinite(drawn.view().numbers).all()


def test_camera_and_shape_stay_while_people_move(drawn):
    samples = drawn.samples

    for each in (samples.focal, samples.center, samples.betas):
        over_time = drawn.over_time(each)
        assert torch.equal(over_time, over_time[:, :1].expand_as(over_time))
    assert float(drawn.over_time(samples.joints).diff(dim=1).abs().max()) < 1.0


def test_whoever_is_missed_has_no_scores(drawn):
    scores = drawn.over_time(drawn.samples.keypoints[..., 2])

    assert (scores[drawn.missed] == 0).all()
    assert (scores[~drawn.missed] > 0).any(dim=-1).all()
    assert (drawn.over_time(drawn.samples.landmarks3d)[drawn.missed] == 0).all()


def test_what_covers_people_lowers_their_scores(clips, body):
    many = MotionSampler(clips, body, seed=2).draw(64, 30)
    scores = many.over_time(many.samples.keypoints[..., 2]).mean(dim=-1)

    clear = ~many.hidden & ~many.missed
    assert float(scores[many.hidden & ~many.missed].mean()) < float(scores[clear].mean()) - 0.1


def test_things_stand_still_while_they_are_there():
    places = 500 + 100 * torch.randn(50, 60, 33, 2, generator=torch.Generator().manual_seed(0))

    things = draw_spells(places, torch.Generator().manual_seed(1))

    half = things.half.unflatten(0, (50, 60))
    middle = things.middle.unflatten(0, (50, 60))
    there = half.amax(dim=-1) > 0
    assert 0.2 < float(there.any(dim=1).float().mean()) < 0.8
    both = there[:, 1:] & there[:, :-1] & (half[:, 1:] == half[:, :-1]).all(dim=-1)
    assert_close(middle[:, 1:][both], middle[:, :-1][both])


def test_people_are_missed_now_and_then_and_some_are_lost_for_longer():
    missed = draw_missed(400, 64, torch.Generator().manual_seed(0))

    runs = missed.sum(dim=1)
    assert 0.02 < float(missed.float().mean()) < 0.2
    assert int((runs == 0).sum()) > 100
    assert int((runs > sequences.GAP_S[0] * 30).sum()) > 20
    assert not missed.all(dim=1).any()
