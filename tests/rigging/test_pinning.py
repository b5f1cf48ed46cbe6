import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap_extension.addon.contract import quaternions, skeleton
from stripmocap_extension.addon.rigging import bones, pinning
from toybody import toy_joints

FRAMES = 40
TIMES_S = np.arange(FRAMES) / 30
TOE, ANKLE, KNEE = (
    skeleton.JOINT_NAMES.index(f"left_{part}") for part in ("foot", "ankle", "knee")
)


@pytest.fixture
def rest():
    made = bones.rest_bones(toy_joints())
    return pinning.Rest(made.heads, made.rotations)


@pytest.fixture
def poses():
    """Somebody who sways with bent knees, and drifts."""
    rng = np.random.default_rng(4)
    turns = 0.1 * rng.normal(size=(24, 3)) * np.sin(3 * TIMES_S)[:, None, None]
    turns[:, [4, 5], 0] += 0.9  # knees
    turns[:, [1, 2], 0] -= 0.5  # hips
    places = np.stack([0.05 * np.sin(2 * TIMES_S), 0.02 * TIMES_S, -0.03 * TIMES_S], axis=1)
    return pinning.Poses(quaternions.aa_to_quat(turns), places)


def pinned(poses, rest, *, fade_s=0.2, **touches):
    return pinning.pinned(poses, rest, touches=touches, times_s=TIMES_S, fade_s=fade_s)


def between(first, last):
    return (np.arange(FRAMES) >= first) & (np.arange(FRAMES) <= last)


def slide(track):
    return np.abs(track - track.mean(axis=0)).max()


@pytest.mark.parametrize(("name", "joint"), [("left_foot", TOE), ("left_ankle", ANKLE)])
def test_what_touches_stays_where_it_is(poses, rest, name, joint):
    on = between(10, 25)
    before = pinning.placed(poses, rest).joints[:, joint]
    assert slide(before[on]) > 0.01

    after = pinning.placed(pinned(poses, rest, **{name: on}), rest).joints[:, joint]

    assert slide(after[on]) < 1e-9
    assert_allclose(after[on].mean(axis=0), before[on].mean(axis=0), atol=1e-6)


def test_the_rest_of_the_body_and_of_the_shot_stays_as_it_was(poses, rest):
    after = pinned(poses, rest, left_foot=between(10, 20))

    far = ~between(10 - 7, 20 + 7)
    leg = [skeleton.JOINT_NAMES.index(f"left_{part}") for part in ("hip", "knee", "ankle")]
    others = [joint for joint in range(24) if joint not in leg]
    same = np.abs(np.sum(after.quats * poses.quats, axis=-1))
    assert_allclose(same[:, others], 1, atol=1e-9)
    assert_allclose(same[far], 1, atol=1e-9)
    assert np.array_equal(after.places, poses.places)


def test_a_pinned_foot_keeps_its_turn_in_the_world(poses, rest):
    after = pinned(poses, rest, left_foot=between(5, 30))

    one, two = (pinning.placed(each, rest).turns[:, ANKLE] for each in (poses, after))
    assert_allclose(one, two, atol=1e-6)


def test_a_pin_fades_in_and_out_without_a_jump(poses, rest):
    on = between(15, 25)
    before = pinning.placed(poses, rest).joints[:, TOE]

    after = pinning.placed(pinned(poses, rest, left_foot=on), rest).joints[:, TOE]

    moved = np.linalg.norm(after - before, axis=1)
    assert np.abs(np.diff(moved)).max() < 0.4 * moved.max()


def test_to_pin_again_changes_nothing(poses, rest):
    on = between(10, 25)
    once = pinned(poses, rest, left_foot=on)

    twice = pinned(once, rest, left_foot=on)

    assert_allclose(np.abs(np.sum(once.quats * twice.quats, axis=-1))[on], 1, atol=1e-9)


def test_a_leg_that_cannot_reach_is_stretched_and_no_farther(rest):
    quats = np.tile([1.0, 0, 0, 0], (FRAMES, 24, 1))
    poses = pinning.Poses(quats, np.stack([0 * TIMES_S, TIMES_S, 0 * TIMES_S], axis=1))  # rises

    after = pinned(poses, rest, left_ankle=between(0, FRAMES - 1))

    assert np.isfinite(after.quats).all()
    joints = pinning.placed(after, rest).joints
    for first, second in ((1, 4), (4, 7)):
        lengths = np.linalg.norm(joints[:, first] - joints[:, second], axis=1)
        assert_allclose(lengths, lengths[0], atol=1e-9)


def test_nothing_touches_and_nothing_changes(poses, rest):
    after = pinned(poses, rest, left_foot=between(99, 99))

    assert_allclose(np.abs(np.sum(after.quats * poses.quats, axis=-1)), 1, atol=1e-9)


def test_joints_are_where_the_bones_put_them(poses, rest):
    placed = pinning.placed(poses, rest)

    lengths = np.linalg.norm(placed.joints[:, KNEE] - placed.joints[:, 1], axis=1)
    assert_allclose(lengths, np.linalg.norm(rest.heads[4] - rest.heads[1]))
    still = pinning.placed(
        pinning.Poses(np.tile([1.0, 0, 0, 0], (1, 24, 1)), np.zeros((1, 3))), rest
    )
    assert_allclose(still.joints[0], rest.heads, atol=1e-12)


def test_every_stretch_is_held_however_many_there_are(rest):
    frames = 400
    times_s = np.arange(frames) / 30
    turns = np.zeros((frames, 24, 3))
    turns[:, [4, 5], 0] = 0.9  # knees
    places = np.stack([0.3 * times_s, 0 * times_s, 0 * times_s], axis=1)
    on = np.arange(frames) // 8 % 2 == 0
    poses = pinning.Poses(quaternions.aa_to_quat(turns), places)

    after = pinning.pinned(poses, rest, touches={"left_foot": on}, times_s=times_s, fade_s=2 / 30)

    feet = pinning.placed(after, rest).joints[:, TOE].reshape(-1, 8, 3)[::2]  # those of the pins
    assert np.ptp(feet, axis=1).max() < 1e-9
    assert np.ptp(feet[:, 0, :], axis=0).max() > 1  # each in a place of its own


def test_time_may_run_backwards(poses, rest):
    on = between(10, 25)
    forth = pinned(poses, rest, left_foot=on)

    back = pinning.pinned(
        pinning.Poses(poses.quats[::-1], poses.places[::-1]),
        rest,
        touches={"left_foot": on[::-1]},
        times_s=TIMES_S[::-1],
        fade_s=0.2,
    )

    same = np.abs(np.sum(back.quats[::-1] * forth.quats, axis=-1))
    assert_allclose(same, np.ones_like(same), atol=1e-12)
