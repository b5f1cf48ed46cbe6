import math
from dataclasses import replace
from fractions import Fraction

import movies
import numpy as np
import pytest
import torch
from stripmocap.contract.errors import AssetCorrupt, Cancelled, VideoError
from stripmocap.contract.messages import Clip
from stripmocap.contract.motion import Camera
from stripmocap.methods.hmr import pixels
from stripmocap.methods.hmr.inference import prepared
from stripmocap.methods.hmr.pixel_network import PixelNetwork
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.people.observations import Person

SIZE, FPS = (320, 240), Fraction(25)
RED, BLUE, GREY = (80, 60), (240, 60), (160, 180)
CPU = torch.device("cpu")
CAMERA = Camera(focal_px=400.0, center_px=(159.5, 119.5), size_px=SIZE)


@pytest.fixture
def clip(tmp_path):
    return Clip(str(movies.write_movie(tmp_path / "a.mp4", size=SIZE, frames=6, fps=FPS)))


def person(number, middle, frames=range(6)):
    """Somebody 50 px tall around `middle`, in these frames."""
    keypoints = np.random.default_rng(number).uniform(-25, 25, (len(frames), 33, 3))
    keypoints[..., :2] += middle
    keypoints[..., 2] = 0.9
    return Person(
        person=number,
        times_s=np.array([float(each / FPS) for each in frames]),
        boxes=np.zeros((len(frames), 4)),
        keypoints=keypoints,
        landmarks3d=np.zeros((len(frames), 33, 3)),
        presence=np.ones(len(frames)),
    )


def hidden(someone, frames, *, score):
    """The same person, in some frames seen with this score only."""
    keypoints = someone.keypoints.copy()
    keypoints[frames, :, 2] = score
    return replace(someone, keypoints=keypoints)


def colours(pictures):
    """A network that says how red and how blue a picture is, as betas."""
    betas = torch.zeros(len(pictures), 10)
    betas[:, 0], betas[:, 2] = pictures[:, 0].mean(dim=(1, 2)), pictures[:, 2].mean(dim=(1, 2))
    rotmat = torch.eye(3).repeat(len(pictures), 24, 1, 1)
    return Regressed(rotmat, betas, torch.zeros(len(pictures), 3))


def silent(stage, done, of):
    pass


def looked_at(people, clip, network=colours, report=silent):
    return pixels.looked_at(people, clip, CAMERA, network, device=CPU, report=report)


def test_each_person_is_seen_where_they_stand(clip):
    red, blue = looked_at([person(0, RED), person(1, BLUE, range(2, 5))], clip)

    assert red.seen.tolist() == [True] * 6
    assert blue.seen.tolist() == [True] * 3
    assert (red.betas[:, 0] > red.betas[:, 2] + 2).all()
    assert (blue.betas[:, 2] > blue.betas[:, 0] + 2).all()


def test_more_crops_than_a_batch_are_all_looked_at(clip):
    told = []

    found = looked_at(
        [person(each, GREY) for each in range(4)], clip, report=lambda *said: told.append(said)
    )

    assert all(each.seen.all() for each in found)
    assert told[0] == ("pixels", 0, 24)
    assert told[-1] == ("pixels", 24, 24)


def test_a_person_at_the_side_is_turned_as_the_side_is_seen(clip):
    (found,) = looked_at([person(0, (310, 120))], clip)

    axis = found.rotmat[0, 0, :, 2]
    assert math.degrees(math.atan2(axis[0], axis[2])) == pytest.approx(20.6, abs=1.5)
    torch.testing.assert_close(found.rotmat[:, 1:], torch.eye(3).expand(6, 23, 3, 3))


def test_frames_in_which_too_little_is_seen_are_not_looked_at(clip):
    (found,) = looked_at([hidden(person(0, RED), slice(2, 4), score=0.0)], clip)

    assert found.seen.tolist() == [True, True, False, False, True, True]


def test_somebody_who_is_never_seen_well_is_looked_at_all_the_same(clip):
    (found,) = looked_at([hidden(person(0, RED), slice(None), score=0.1)], clip)

    assert not found.seen.any()
    assert (found.betas[:, 0] > found.betas[:, 2] + 2).all()


def test_frames_that_are_gone_from_the_footage_are_not_seen(clip):
    (found,) = looked_at([person(0, RED, range(9))], clip)

    assert found.seen.tolist() == [True] * 6 + [False] * 3


def test_looking_stops_when_the_person_asks(clip):
    def cancel(stage, done, of):
        if done:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        looked_at([person(each, GREY) for each in range(4)], clip, report=cancel)


def test_footage_that_is_gone_is_named(tmp_path):
    with pytest.raises(VideoError, match="absent"):
        looked_at([person(0, RED)], Clip(str(tmp_path / "absent.mp4")))


def test_a_network_that_says_no_numbers_is_refused(clip):
    def broken(pictures):
        said = colours(pictures)
        return Regressed(said.rotmat * torch.nan, said.betas, said.camera)

    with pytest.raises(AssetCorrupt, match="no numbers"):
        looked_at([person(0, RED)], clip, network=broken)


def test_spins_network_runs_from_footage_to_bodies(clip):
    torch.manual_seed(0)
    network = prepared(PixelNetwork().eval(), device=CPU)

    first, second = looked_at([person(0, RED), person(1, BLUE)], clip, network=network)

    for found in (first, second):
        assert found.seen.all()
        identity = torch.eye(3).expand(6, 24, 3, 3)
        torch.testing.assert_close(found.rotmat @ found.rotmat.mT, identity, atol=1e-5, rtol=0)
    assert not torch.equal(first.rotmat, second.rotmat)
