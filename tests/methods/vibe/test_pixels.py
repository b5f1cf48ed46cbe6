import math
from dataclasses import replace
from fractions import Fraction

import movies
import numpy as np
import pytest
import torch
from stripmocap.contract.errors import AssetCorrupt, Cancelled
from stripmocap.contract.messages import Clip
from stripmocap.contract.motion import Camera
from stripmocap.geometry.cameras import project
from stripmocap.methods.hmr.frames import Figure, estimate_of
from stripmocap.methods.hmr.pixel_network import PixelNetwork
from stripmocap.methods.vibe import pixels
from stripmocap.methods.vibe.pixel_network import Generator
from stripmocap.people.observations import Person
from torch.testing import assert_close
from toybody import toy_body

SIZE, RED, BLUE = (320, 240), (80, 60), (240, 60)
CPU = torch.device("cpu")
MOTION = ("global_orient", "body_pose", "betas", "transl", "confidence")
CAMERA = Camera(focal_px=400.0, center_px=(159.5, 119.5), size_px=SIZE)


def footage(folder, *, frames=6, fps=Fraction(25)):
    return Clip(str(movies.write_movie(folder / "a.mp4", size=SIZE, frames=frames, fps=fps)))


def person(number, middle, *, frames=6, fps=Fraction(25)):
    """Somebody 50 px tall who goes right from `middle`, a pixel a frame."""
    keypoints = np.random.default_rng(number).uniform(-25, 25, (1, 33, 3)).repeat(frames, axis=0)
    keypoints[..., :2] += middle
    keypoints[..., 0] += np.arange(frames)[:, None]
    keypoints[..., 2] = 0.9
    low, high = keypoints[..., :2].min(axis=1), keypoints[..., :2].max(axis=1)
    return Person(
        person=number,
        times_s=np.array([float(each / fps) for each in range(frames)]),
        boxes=np.concatenate([low, high], axis=1),
        keypoints=keypoints,
        landmarks3d=np.zeros((frames, 33, 3)),
        presence=np.ones(frames),
    )


def hidden(someone, frames):
    """The same person, in some frames not seen."""
    keypoints, presence = someone.keypoints.copy(), someone.presence.copy()
    keypoints[frames, :, 2], presence[frames] = 0.0, 0.0
    return replace(someone, keypoints=keypoints, presence=presence)


def colours(crops):
    """(B, 2048) features: what is seen in a few places of a crop, and nothing else."""
    small = torch.nn.functional.adaptive_avg_pool2d(crops, 8).flatten(1)
    return torch.nn.functional.pad(small, (0, 2048 - small.shape[1]))


@pytest.fixture(scope="module")
def vibe():
    torch.manual_seed(0)
    generator = Generator(hidden=16).eval()
    generator.regressor.decpose.weight.data *= 100  # else nobody moves
    return pixels.PixelVibe(colours, generator, CPU)


def silent(stage, done, of):
    pass


def said_of(vibe, people, clip, *, conventions="house", report=silent):
    return vibe(people, CAMERA, clip, conventions=conventions, report=report)


def heard(vibe, someone, clip, *, conventions="house"):
    """What the generator is told and what it says of one person: (T, 2048) and (T, 3) cameras."""
    noted = []

    def note(features, state):
        said, state = vibe.generator(features, state)
        noted.append((features[0], said.camera))
        return said, state

    spied = replace(vibe, generator=note)
    said_of(spied, [someone], clip, conventions=conventions)
    return tuple(torch.cat(each) for each in zip(*noted, strict=True))


def bodies_of(vibe, features):
    with torch.no_grad():
        return vibe.generator(features[None])[0]


def test_the_whole_shot_is_one_sequence_whatever_the_batches(vibe, tmp_path):
    clip, someone = footage(tmp_path, frames=20), person(0, RED, frames=20)

    (found,) = said_of(vibe, [someone], clip)

    expected = bodies_of(vibe, heard(vibe, someone, clip)[0])
    assert found.seen.all()
    assert_close(found.rotmat[:, 1:], expected.rotmat[:, 1:])
    assert_close(found.betas, expected.betas)
    assert (found.rotmat[0, 1:] - found.rotmat[-1, 1:]).abs().max() > 1e-3


@pytest.mark.parametrize("conventions", ["house", "published"])
def test_people_are_remembered_apart(vibe, tmp_path, conventions):
    clip = footage(tmp_path, frames=12)
    red, blue = person(0, RED, frames=12), person(1, BLUE, frames=12)

    both = said_of(vibe, [red, blue], clip, conventions=conventions)
    alone = said_of(vibe, [blue], clip, conventions=conventions)

    assert_close(both[1].rotmat, alone[0].rotmat)
    assert_close(both[1].betas, alone[0].betas)


def test_a_person_at_the_side_is_turned_as_the_side_is_seen(vibe, tmp_path):
    clip, someone = footage(tmp_path), person(0, (304, 120))
    middle = [*person(0, (304, 120)).keypoints[0, :, :2].mean(axis=0)]

    (found,) = said_of(vibe, [someone], clip)

    straight = bodies_of(vibe, heard(vibe, someone, clip)[0]).rotmat[:, 0]
    turn = found.rotmat[:, 0] @ straight.mT
    yaw = torch.atan2(turn[:, 0, 2], turn[:, 2, 2]).rad2deg()
    assert float(yaw[0]) == pytest.approx(math.degrees(math.atan2(middle[0] - 160, 400)), abs=2)


@pytest.mark.parametrize(("fps", "looked"), [(30, 12), (48, 7), (60, 7), (120, 4)])
def test_of_fast_footage_about_thirty_frames_a_second_are_looked_at(vibe, tmp_path, fps, looked):
    clip = footage(tmp_path, frames=12, fps=Fraction(fps))
    told = []

    (found,) = said_of(
        vibe,
        [person(0, RED, frames=12, fps=Fraction(fps))],
        clip,
        report=lambda *said: told.append(said),
    )

    assert int(found.posed.sum()) == looked
    assert told[-1] == ("pixels", looked, looked)
    assert found.seen.all()
    assert (found.betas.abs().sum(dim=1) > 0).all()
    assert found.posed[[0, -1]].all()


def test_between_frames_of_slow_footage_features_are_blended(vibe, tmp_path):
    clip, someone = footage(tmp_path, fps=Fraction(10)), person(0, RED, fps=Fraction(10))

    (found,) = said_of(vibe, [someone], clip)

    seen = heard(vibe, someone, clip)[0]  # with those in between, three steps a frame
    assert len(seen) == 1 + 5 * 3
    assert_close(seen[1], seen[0].lerp(seen[3], 1 / 3))
    assert_close(found.rotmat[:, 1:], bodies_of(vibe, seen).rotmat[::3, 1:])


def test_while_nobody_is_seen_the_network_goes_on_and_says_so(vibe, tmp_path):
    clip = footage(tmp_path, frames=9)

    (found,) = said_of(vibe, [hidden(person(0, RED, frames=9), slice(3, 6))], clip)

    assert found.seen.tolist() == [True] * 3 + [False] * 3 + [True] * 3
    assert found.posed.all()


def test_where_nobody_is_seen_the_box_is_between_those_around():
    someone = person(0, RED, frames=9)

    boxes = pixels._boxes(hidden(someone, slice(3, 6)))

    expected = pixels._boxes(someone)
    np.testing.assert_allclose(boxes.centers, expected.centers, atol=1e-3)
    np.testing.assert_allclose(boxes.sides, expected.sides, rtol=1e-5)


def test_the_demo_forgets_all_after_each_piece(vibe, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "PIECE", 5)
    clip, someone = footage(tmp_path, frames=12), person(0, RED, frames=12)

    (found,) = said_of(vibe, [someone], clip, conventions="published")

    features, _ = heard(vibe, someone, clip, conventions="published")
    assert_close(
        found.rotmat, torch.cat([bodies_of(vibe, each).rotmat for each in features.split(5)])
    )


def test_the_demo_looks_at_frames_in_which_somebody_is_seen_and_at_no_others(vibe, tmp_path):
    clip = footage(tmp_path, frames=9, fps=Fraction(60))
    someone = hidden(person(0, RED, frames=9, fps=Fraction(60)), slice(3, 6))

    (found,) = said_of(vibe, [someone], clip, conventions="published")

    assert found.seen.tolist() == [True] * 3 + [False] * 3 + [True] * 3
    assert torch.isfinite(found.transl).all()


def test_the_demo_stands_people_where_its_weak_camera_says(vibe, tmp_path):
    clip, someone = footage(tmp_path), person(0, RED)

    (found,) = said_of(vibe, [someone], clip, conventions="published")

    _, weak = heard(vibe, someone, clip, conventions="published")
    low, high = someone.boxes[:, :2], someone.boxes[:, 2:]
    middle, side = torch.tensor((low + high) / 2), torch.tensor((high - low).max(axis=1))
    pixels_of_pelvis = project(
        found.transl, focal=CAMERA.focal_px, center=torch.tensor(CAMERA.center_px).float()
    )
    # The box before it was enlarged, which is the demo's own slip.
    expected = middle + side[:, None] / 2 * weak[:, :1] * weak[:, 1:]
    assert_close(pixels_of_pelvis, expected.float(), atol=0.01, rtol=0)
    assert_close(CAMERA.focal_px / found.transl[:, 2], (side / 2 * weak[:, 0]).float())


@pytest.mark.parametrize("conventions", ["house", "published"])
def test_somebody_whose_frames_are_all_gone_from_the_footage_stands_still(
    vibe, tmp_path, conventions
):
    late = replace(person(0, RED), times_s=np.arange(6) + 100.0)

    (found,) = said_of(vibe, [late], footage(tmp_path), conventions=conventions)

    assert not found.seen.any()
    estimate = estimate_of(
        [late], CAMERA, [found], figure=Figure.from_template(toy_body(), device=CPU), height_m=None
    )
    assert all(np.isfinite(getattr(estimate.motions[0], name)).all() for name in MOTION)


@pytest.mark.parametrize("conventions", ["house", "published"])
def test_networks_that_say_no_numbers_are_refused(vibe, tmp_path, conventions):
    broken = replace(vibe, features=lambda crops: colours(crops) * torch.nan)

    with pytest.raises(AssetCorrupt, match="no numbers"):
        said_of(broken, [person(0, RED)], footage(tmp_path), conventions=conventions)


def test_looking_stops_when_the_person_asks(vibe, tmp_path):
    def cancel(stage, done, of):
        if done:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        said_of(vibe, [person(0, RED)], footage(tmp_path), report=cancel)


def test_networks_of_the_published_form_run_from_footage_to_bodies(tmp_path):
    torch.manual_seed(0)
    vibe = pixels.of_networks(PixelNetwork().eval(), Generator().eval(), device=CPU)

    first, second = said_of(vibe, [person(0, RED), person(1, BLUE)], footage(tmp_path))

    for found in (first, second):
        assert found.seen.all()
        identity = torch.eye(3).expand(6, 24, 3, 3)
        assert_close(found.rotmat @ found.rotmat.mT, identity, atol=1e-5, rtol=0)
    assert not torch.equal(first.rotmat, second.rotmat)


@pytest.mark.gpu
def test_a_graphics_card_says_nearly_the_same(tmp_path):
    if not torch.cuda.is_available():
        pytest.skip("no accelerator here")
    torch.manual_seed(0)
    backbone, generator, clip = PixelNetwork().eval(), Generator().eval(), footage(tmp_path)

    one, other = (
        said_of(pixels.of_networks(backbone, generator, device=torch.device(each)), [someone], clip)
        for each in ("cpu", "cuda")
        for someone in [person(0, RED)]
    )

    assert other[0].rotmat.is_cuda
    assert_close(other[0].rotmat.cpu(), one[0].rotmat, atol=5e-3, rtol=0)
