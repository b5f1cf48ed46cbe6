import numpy as np
from stripmocap_extension.addon.rigging import contacts


def chances(*runs):
    """Chances of so many frames each."""
    return np.concatenate([np.full(count, chance) for count, chance in runs])


def held_at(keys, frame):
    """What keys hold at a frame."""
    return keys[np.searchsorted(keys[:, 0], frame, side="right") - 1, 1]


def test_a_stretch_begins_when_contact_is_likely_and_ends_when_it_is_not():
    found = contacts.stretches(chances((3, 0.1), (4, 0.9), (2, 0.5), (3, 0.1)))

    assert found == [(3, 8)]


def test_chances_in_between_neither_begin_nor_end_a_stretch():
    assert contacts.stretches(chances((20, 0.5))) == []
    flickering = np.where(np.arange(20) % 2, 0.45, 0.55)
    assert contacts.stretches(np.concatenate([[0.9], flickering])) == [(0, 20)]


def test_keys_hold_the_mean_chance_of_their_stretch():
    keys = contacts.held_keys(chances((3, 0.0), (2, 0.8), (2, 1.0), (3, 0.0)), np.arange(10) * 2.0)

    assert [held_at(keys, frame) for frame in (0, 5, 6, 12, 13, 14, 18)] == [
        *(0, 0, 0.9, 0.9, 0.9, 0, 0)
    ]
    assert keys[:, 0].tolist() == [0, 6, 12, 14]


def test_contact_at_both_ends_needs_no_key_beyond():
    keys = contacts.held_keys(np.ones(5), np.arange(5) + 0.5)

    assert keys.tolist() == [[0.5, 1.0], [4.5, 1.0]]


def test_one_frame_is_a_stretch():
    assert contacts.held_keys(np.ones(1), np.array([7.0])).tolist() == [[7.0, 1.0]]
    assert contacts.held_keys(np.zeros(1), np.array([7.0])).tolist() == [[7.0, 0.0]]


def test_frames_of_keys_rise():
    noisy = np.random.default_rng(3).uniform(size=500)

    keys = contacts.held_keys(noisy, np.arange(500.0))

    assert (np.diff(keys[:, 0]) > 0).all()
    assert set(np.sign(keys[:, 1])) == {0.0, 1.0}
