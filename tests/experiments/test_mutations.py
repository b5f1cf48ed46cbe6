from __future__ import annotations

import av
import pytest
from stripmocap.experiments import mutations, seed_movies
from stripmocap.experiments.crafted_files import CRAFTED


@pytest.fixture(scope="module")
def seeds() -> list[seed_movies.Seed]:
    return seed_movies.seeds()


def test_every_seed_is_a_sound_file(seeds, tmp_path):
    for seed in seeds:
        path = tmp_path / seed.name
        path.write_bytes(seed.data)
        with av.open(str(path)) as container:
            assert next(container.decode(video=0)).width == seed_movies.SIZE_PX[0]


def test_a_number_and_a_seed_name_one_file(seeds):
    for number in range(60):
        first = mutations.hostile(number, seed=3, seeds=seeds)

        assert first == mutations.hostile(number, seed=3, seeds=seeds)


def test_another_seed_makes_other_files(seeds):
    one, two = (
        {mutations.hostile(number, seed=seed, seeds=seeds).data for number in range(40)}
        for seed in (1, 2)
    )

    assert len(one & two) < 10


def test_two_thousand_files_have_every_kind_and_every_crafted_file(seeds):
    files = [mutations.hostile(number, seed=0, seeds=seeds) for number in range(2000)]

    assert {each.kind for each in files} == set(mutations.KINDS)
    assert {each.name[6:] for each in files if each.kind == "crafted"} == set(CRAFTED)
    assert len({each.name for each in files}) == 2000
