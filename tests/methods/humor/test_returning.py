"""From ticks to frames: nobody jumps where a solver found nothing, or nobody was seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fitscenes import loose_prior, walk
from refinescenes import estimate, seen_in
from stripmocap.contract import body_file
from stripmocap.contract.body_file import EMBEDDED_BODY
from stripmocap.methods.humor.posed import states_of
from stripmocap.methods.humor.returning import FADE_S, Refined, on_frames
from stripmocap.methods.humor.whole import Whole
from stripmocap.methods.humor.windows import Found
from stripmocap.methods.smplify.subject import Subject

TEMPLATE = body_file.load(EMBEDDED_BODY)
SUBJECT = Subject.from_template(TEMPLATE, loose_prior())
ASIDE_M = 0.2


def shot(*, seconds: float = 3.0, fps: float = 30.0, hidden=(99.0, 99.0)) -> Whole:
    """Somebody who walks, hidden from one second to another."""
    scene = walk(TEMPLATE, frames=round(seconds * fps), fps=fps)
    times_s = scene.person.times_s
    person = seen_in(scene.person, (times_s <= hidden[0]) | (times_s >= hidden[1]))
    return Whole.of([person], estimate(TEMPLATE, scene), subject=SUBJECT, window=300)


def moved(whole: Whole, *, left=lambda ticks_s: ticks_s < -1) -> list[Refined]:
    """All spells 20 cm aside and with contacts, but for ticks that are left."""
    refined = []
    for spell in whole.spells:
        rest, is_left = whole.rest[spell.owner], torch.tensor(left(spell.ticks_s))
        found = Found.begun(states_of(spell.begun, rest_pelvis=rest, betas=torch.zeros(10)))
        found.transl[~is_left, 0] += ASIDE_M
        found.contacts[~is_left] = 0.75
        found = replace(found, is_left=is_left)
        refined.append(Refined.of(spell, found, rest_pelvis=rest))
    return refined


def aside(whole: Whole, refined: list[Refined]) -> tuple[np.ndarray, np.ndarray]:
    """(T,) metres that each frame is aside of where it was, and (T, 9) contacts."""
    bodies, contacts = on_frames(whole.start[0], refined, times_s=whole.people[0].times_s)
    assert torch.isfinite(bodies.rotmat).all()
    return (bodies.pelvis - whole.start[0].pelvis)[:, 0].numpy(), contacts


@pytest.mark.parametrize("fps", [12.0, 24.0, 30.0, 60.0, 120.0])
def test_what_was_found_on_ticks_is_in_every_frame(fps):
    whole = shot(fps=fps)

    distance, contacts = aside(whole, moved(whole))

    np.testing.assert_allclose(distance, ASIDE_M, atol=2e-3)
    np.testing.assert_allclose(contacts, 0.75, atol=1e-6)


def test_what_changed_fades_out_where_nothing_was_found():
    whole = shot()

    distance, contacts = aside(whole, moved(whole, left=lambda ticks_s: ticks_s > 1.5))

    times_s = whole.people[0].times_s
    assert (distance[times_s <= 1.5] > ASIDE_M - 1e-4).all()
    assert (np.abs(distance[times_s > 1.5 + FADE_S]) < 1e-4).all()
    assert np.abs(np.diff(distance)).max() < ASIDE_M / 5
    assert (contacts[times_s > 1.6] == 0).all()


def test_what_changed_fades_out_in_a_long_gap_and_comes_back_behind_it():
    whole = shot(seconds=7.0, hidden=(2.0, 5.0))

    distance, contacts = aside(whole, moved(whole))

    times_s = whole.people[0].times_s
    gone = (times_s > 2 + FADE_S) & (times_s < 5 - FADE_S)
    assert len(whole.spells) == 2
    assert (np.abs(distance[gone]) < 1e-4).all()
    assert (distance[(times_s <= 2) | (times_s >= 5.01)] > ASIDE_M - 1e-4).all()
    assert np.abs(np.diff(distance)).max() < ASIDE_M / 5
    assert (contacts[gone] == 0).all()


def test_where_nothing_at_all_was_found_nothing_changes():
    whole = shot()

    distance, _ = aside(whole, moved(whole, left=lambda ticks_s: ticks_s > -1))

    assert np.abs(distance).max() < 1e-5
