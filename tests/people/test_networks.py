from __future__ import annotations

import numpy as np
import pytest
from stripmocap import assets
from stripmocap.contract.errors import AssetMissing
from stripmocap.people.network_files import trimmed
from stripmocap.people.networks import Network, Pair, content_of

LANDMARKS, DETECTOR = "blazepose_landmarks", "blazepose_detector"


@pytest.fixture(scope="module")
def files():
    try:
        return {name: assets.locate(name) for name in (LANDMARKS, DETECTOR)}
    except AssetMissing as missing:
        pytest.skip(f"{missing.message}. {missing.hint}")


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(3).random((2, 256, 256, 3), dtype=np.float32)


def assert_same(found, expected) -> None:
    assert found
    for length, each in found.items():
        assert each.tobytes() == expected[length].tobytes()


def test_what_is_left_of_a_network_says_the_same(files, pictures):
    whole = Network(files[LANDMARKS].read_bytes(), threads=1)
    rest = Network(content_of(files[LANDMARKS]), threads=1)

    found, expected = rest.run(pictures[0]), whole.run(pictures[0])

    assert_same({length: found[length] for length in (195, 117, 39)}, expected)
    assert found[1].shape == (1,)  # whether somebody is there; not who is where


def test_a_file_of_which_everything_is_read_stays_as_it_is(files):
    content = files[DETECTOR].read_bytes()

    assert content_of(files[DETECTOR]) is not content
    assert content_of(files[DETECTOR]) == content
    assert trimmed(content, is_read=lambda shape: True) is content


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_two_pictures_are_looked_at_as_one_after_the_other(files, pictures, threads):
    content = content_of(files[LANDMARKS])
    alone = Network(content, threads=1)

    first, second = Pair(content, threads=threads).run(*pictures)

    assert_same(first, alone.run(pictures[0]))
    assert_same(second, alone.run(pictures[1]))


def test_an_error_of_either_look_is_raised(files, pictures):
    pair = Pair(content_of(files[LANDMARKS]), threads=2)

    for looks in ((pictures[0][:3], pictures[1]), (pictures[0], pictures[1][:3])):
        with pytest.raises(ValueError, match="Dimension mismatch"):
            pair.run(*looks)
    assert_same(pair.run(*pictures)[0], pair.run(pictures[0], pictures[0])[1])
