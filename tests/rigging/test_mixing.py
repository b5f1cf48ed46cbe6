import numpy as np
import pytest
from stripmocap_extension.addon.contract import quaternions, skeleton
from stripmocap_extension.addon.rigging import mixing

TIMES_S = np.arange(60) / 30
NOTHING = mixing.Amounts(whole=0.0)


def turns(seed, *shape):
    return quaternions.aa_to_quat(np.random.default_rng(seed).normal(size=(*shape, 3)))


def test_every_joint_is_in_a_region_and_every_region_has_joints():
    regions = {name: mixing.region_of(name) for name in skeleton.JOINT_NAMES}

    assert set(regions.values()) == set(mixing.REGIONS)
    assert regions["pelvis"] == "root"
    assert regions["left_hip"] == regions["right_foot"] == "legs"
    assert regions["left_collar"] == regions["right_hand"] == "arms"
    assert regions["spine2"] == regions["head"] == regions["neck"] == "torso"


def test_left_and_right_are_in_the_same_region():
    for name in skeleton.JOINT_NAMES:
        assert mixing.region_of(name) == mixing.region_of(skeleton.mirrored(name))


def test_the_whole_multiplies_the_regions():
    amounts = mixing.Amounts(whole=0.5, legs=0.5, arms=0.0).by_joint()

    at = dict(zip(skeleton.JOINT_NAMES, amounts, strict=True))
    assert (at["left_knee"], at["right_elbow"], at["head"], at["pelvis"]) == (0.25, 0.0, 0.5, 0.5)


def test_a_span_has_its_own_amounts_and_fades_into_those_around():
    span = mixing.Span(0.8, 1.2, fade_s=0.2, amounts=NOTHING)

    amounts = mixing.amounts_at(TIMES_S, mixing.Amounts(), [span])[:, 0]

    inside = (TIMES_S >= 0.8) & (TIMES_S <= 1.2)
    beyond = (TIMES_S < 0.6) | (TIMES_S > 1.4)
    assert (amounts[inside] == 0).all()
    assert (amounts[beyond] == 1).all()
    assert (np.diff(amounts[TIMES_S < 1.0]) <= 0).all()
    assert np.abs(np.diff(amounts)).max() < 0.3


def test_a_span_without_fade_begins_and_ends_at_once():
    span = mixing.Span(0.8, 1.2, fade_s=0.0, amounts=NOTHING)

    amounts = mixing.amounts_at(TIMES_S, mixing.Amounts(), [span])

    assert set(np.unique(amounts)) == {0.0, 1.0}


def test_ends_of_a_span_may_be_told_in_either_order():
    forth = mixing.Span(0.8, 1.2, fade_s=0.1, amounts=NOTHING)
    back = mixing.Span(1.2, 0.8, fade_s=0.1, amounts=NOTHING)

    one, other = (mixing.amounts_at(TIMES_S, mixing.Amounts(), [each]) for each in (forth, back))

    assert np.array_equal(one, other)


def test_of_spans_that_overlap_the_last_counts():
    spans = [
        mixing.Span(0.0, 1.0, fade_s=0.0, amounts=NOTHING),
        mixing.Span(0.5, 1.5, fade_s=0.0, amounts=mixing.Amounts(whole=0.5)),
    ]

    amounts = mixing.amounts_at(np.array([0.2, 0.7, 1.8]), mixing.Amounts(), spans)[:, 0]

    assert amounts.tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_a_mixed_turn_is_that_share_of_the_way(amount):
    plain, refined = turns(1, 50, 24), turns(2, 50, 24)

    mixed = mixing.mixed_quats(plain, refined, np.full((50, 24), amount))

    def angle(one, other):
        return 2 * np.arccos(np.clip(np.abs(np.sum(one * other, axis=-1)), 0, 1))

    whole = angle(plain, refined)
    np.testing.assert_allclose(angle(plain, mixed), amount * whole, atol=1e-6)
    np.testing.assert_allclose(angle(mixed, refined), (1 - amount) * whole, atol=1e-6)


def test_the_sign_of_a_quaternion_changes_no_mixed_turn():
    plain, refined, half = turns(1, 50), turns(2, 50), np.full(50, 0.4)

    mixed, turned = (mixing.mixed_quats(each, refined, half) for each in (plain, -plain))

    np.testing.assert_allclose(np.abs(np.sum(mixed * turned, axis=-1)), 1, atol=1e-12)


def test_turns_that_are_alike_and_turns_that_are_opposite_mix_without_nan():
    start = np.tile([1.0, 0, 0, 0], (3, 1))
    end = np.array([[1.0, 0, 0, 0], [1.0, 1e-9, 0, 0], [0.0, 1, 0, 0]])

    mixed = mixing.mixed_quats(start, end, np.full(3, 0.5))

    assert np.isfinite(mixed).all()
    np.testing.assert_allclose(np.linalg.norm(mixed, axis=-1), 1)
    np.testing.assert_allclose(mixed[2], [np.sqrt(0.5), np.sqrt(0.5), 0, 0], atol=1e-12)


def test_keys_that_an_artist_left_without_length_mix_as_no_turn():
    mixed = mixing.mixed_quats(np.zeros((1, 4)), np.array([[2.0, 0, 0, 0]]), np.ones(1) / 2)

    np.testing.assert_allclose(mixed, [[1.0, 0, 0, 0]])


def test_places_mix_along_a_line():
    plain, refined = np.zeros((2, 3)), np.array([[1.0, 2, 3], [4, 5, 6]])

    mixed = mixing.mixed_places(plain, refined, np.array([0.5, 1.0]))

    assert mixed.tolist() == [[0.5, 1.0, 1.5], [4, 5, 6]]
