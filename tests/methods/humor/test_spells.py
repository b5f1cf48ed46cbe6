"""In which spells people can be refined, and what is seen in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import CAMERA, walk
from refinescenes import motion_of, seen_in
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.methods.humor.posed import posed_by
from stripmocap.methods.humor.spells import evidence_of, spells_of

TEMPLATE = body_file.load(EMBEDDED_BODY)


def shot(fps=30.0, seconds=2.0, hidden=(), **more):
    """A walk, hidden in spans of seconds, and its bodies."""
    scene = walk(TEMPLATE, frames=max(round(fps * seconds), 1), fps=fps, **more)
    times_s = scene.person.times_s
    sighted = ~np.any([(times_s > low) & (times_s < high) for low, high in [(-1, -1), *hidden]], 0)
    start = posed_by(motion_of(scene), rest_pelvis=torch.zeros(3, dtype=torch.float64))
    return seen_in(scene.person, sighted), start


def test_a_short_gap_is_within_a_spell_and_a_long_one_between_two():
    person, start = shot(seconds=8, hidden=[(1.0, 2.5), (4.0, 6.5)])

    found = spells_of(3, person, start)

    spans = [(each.times_s[0], each.times_s[-1]) for each in found]
    assert spans == [
        (pytest.approx(0.0), pytest.approx(4.0, abs=0.05)),
        (pytest.approx(6.5, abs=0.05), pytest.approx(8 - 1 / 30)),
    ]
    assert [each.owner for each in found] == [3, 3]
    assert all(len(each.times_s) == each.frames.stop - each.frames.start for each in found)


@pytest.mark.parametrize("frames", [1, 2])
def test_of_a_frame_or_two_there_is_no_spell(frames):
    person, start = shot(seconds=frames / 30)

    assert spells_of(0, person, start) == []


def test_who_is_never_seen_has_no_spell():
    person, start = shot(hidden=[(-1, 99)])

    assert spells_of(0, person, start) == []


@pytest.mark.parametrize("fps", [5, 12, 15, 24, 25, 29.97, 30, 60, 120])
def test_ticks_go_from_the_first_frame_to_the_last_and_each_frame_counts_once_at_most(fps):
    person, start = shot(fps=fps, seconds=4)

    (spell,) = spells_of(0, person, start)

    assert (spell.ticks_s[0], spell.ticks_s[-1]) == (person.times_s[0], person.times_s[-1])
    assert len(spell.begun) == len(spell.votes) == len(spell.seen.times_s) == len(spell.ticks_s)
    assert spell.votes.sum() == pytest.approx(min(len(person.times_s), len(spell.ticks_s)), rel=0.1)


def test_footage_of_the_ticks_rate_is_seen_as_it_is():
    person, start = shot(fps=30)

    (spell,) = spells_of(0, person, start)

    np.testing.assert_allclose(spell.seen.keypoints, person.keypoints, atol=1e-3)
    np.testing.assert_allclose(spell.votes, 1, atol=1e-6)


def test_what_is_hidden_counts_nothing_and_is_somewhere_between():
    person, start = shot(seconds=3, hidden=[(1.0, 2.0)])

    found = spells_of(0, person, start)
    evidence = evidence_of(found, CAMERA, device=torch.device("cpu"))

    dark = (found[0].ticks_s > 1.02) & (found[0].ticks_s < 1.98)
    assert (evidence.weights[dark] == 0).all()
    assert (evidence.weights[~dark].sum(dim=1) > 1).all()
    assert (evidence.cue_weights[dark] == 0).all()
    low, high = person.keypoints[..., 0].min(), person.keypoints[..., 0].max()
    column = evidence.keypoints[..., 0]  # hips are moved by up to the person's depth
    assert ((column > low - 30) & (column < high + 30)).all()


def test_the_spells_of_all_people_are_sequences_one_after_the_other():
    one, other = shot(), shot(seconds=1.0, person=1)
    found = [*spells_of(0, *one), *spells_of(1, *other)]

    evidence = evidence_of(found, CAMERA, device=torch.device("cpu"))

    assert evidence.sequence.tolist() == [0] * 60 + [1] * 30


def test_of_slow_footage_ticks_between_frames_count_little():
    person, start = shot(fps=5, seconds=3)

    (spell,) = spells_of(0, person, start)
    evidence = evidence_of([spell], CAMERA, device=torch.device("cpu"))

    assert (spell.votes > 0.99).sum() == len(person.times_s)
    assert (evidence.weights.sum(dim=1) > 0.01).float().mean() < 0.25


def test_the_beginning_of_a_spell_has_the_frames_up_to_its_last_tick():
    person, start = shot(fps=24, seconds=3)
    (spell,) = spells_of(0, replace(person), start)

    part = spell.until(31)

    assert part.ticks_s[-1] == pytest.approx(1.0, abs=0.02)
    assert part.times_s[-1] <= part.ticks_s[-1] < person.times_s[part.frames.stop]
    assert len(part.begun) == 31
    assert spell.until(len(spell.ticks_s)) is spell
