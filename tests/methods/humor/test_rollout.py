import torch
from stripmocap.methods.humor.canonical import Placement, turn_of
from stripmocap.methods.humor.rollout import imagine, likeliest, roll_out, transitions
from stripmocap.methods.humor.state import State, changed
from torch.testing import assert_close


def noise(*shape, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def canonical(states):
    return Placement.of(states).enter(states)


def by_hand(network, start, latents):
    """Moment by moment, each brought into the frame of the first before the next is thought of."""
    here, frames, found = start, [], []
    for latent in latents.unbind(dim=1):
        led = changed(here, network.decode(here, latent))
        pivot = start.joints[:, 0, :2]
        outside = led
        for frame in reversed(frames):
            outside = frame.leave(outside)
        found.append(outside.numbers)
        frames.append(Placement(turn_of(led.global_orient), led.transl[:, :2], pivot))
        here = frames[-1].enter(led)
    return torch.stack(found, dim=1)


def test_a_roll_out_is_what_walking_by_hand_finds(draw, network):
    start, latents = canonical(draw(3)), noise(3, 6, 6)

    found = roll_out(network, start, latents=latents)

    assert_close(found.states.numbers, by_hand(network, start, latents))


def test_every_past_is_the_moment_before_in_its_own_frame(draw, network):
    found = roll_out(network, canonical(draw(2)), latents=noise(2, 5, 6))

    past, _ = transitions(found.states)

    # The pivot is that of the moment that a motion begins with; so all but joints agree.
    assert_close(found.past.transl[:, 1:], past.transl)
    assert_close(found.past.global_orient[:, 1:], past.global_orient)
    assert_close(found.past.joints_vel[:, 1:], past.joints_vel)


def test_where_a_motion_starts_changes_nothing_but_where_it_is(draw, network):
    start, latents = draw(2), noise(2, 4, 6)
    frame = Placement.of(start)
    elsewhere = Placement.of(draw(2, seed=5))
    moved = Placement(elsewhere.turn, elsewhere.place, frame.pivot).leave(start)
    other = Placement.of(moved)

    found = roll_out(network, frame.enter(start), latents=latents).states
    again = roll_out(network, other.enter(moved), latents=latents).states

    assert_close(again.numbers, found.numbers)


def test_fewer_latents_lead_to_the_same_beginning(draw, network):
    start, latents = canonical(draw(2)), noise(2, 7, 6)

    whole = roll_out(network, start, latents=latents)
    beginning = roll_out(network, start, latents=latents[:, :4])

    assert_close(beginning.states.numbers, whole.states.numbers[:, :4])


def test_gradients_reach_the_start_and_the_latents(draw, network):
    start, latents = canonical(draw(1)).numbers, noise(1, 3, 6)

    def end(numbers, latents):
        return roll_out(network, State(numbers), latents=latents).states.numbers[:, -1]

    inputs = (start.requires_grad_(True), latents.requires_grad_(True))
    assert torch.autograd.gradcheck(end, inputs, fast_mode=True, atol=1e-5)


def test_what_is_made_up_is_what_its_latents_lead_to(draw, network):
    start = canonical(draw(2))

    made = imagine(network, start, steps=5, choose=likeliest)

    assert_close(made.latents, network.prior(made.past).mean)
    again = roll_out(network, start, latents=made.latents)
    assert_close(again.states.numbers, made.states.numbers)
    assert_close(again.contacts, made.contacts)


def test_draws_differ_and_are_the_same_for_a_seed(draw, network):
    start = canonical(draw(1))

    def drawn(seed):
        generator = torch.Generator().manual_seed(seed)
        return imagine(
            network, start, steps=3, choose=lambda latents: latents.sample(generator)
        ).states.numbers

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.allclose(drawn(1), drawn(2))


def test_transitions_lead_on_in_the_frame_of_the_moment_before(draw):
    motions = State(draw(8).numbers.view(2, 4, -1))

    past, following = transitions(motions)

    steps = (motions.transl[:, 1:] - motions.transl[:, :-1])[..., :2]
    assert_close(past.transl[..., :2], torch.zeros(2, 3, 2, dtype=torch.float64))
    assert_close(following.transl[..., :2].norm(dim=-1), steps.norm(dim=-1))
    assert_close(following.transl[..., 2], motions.transl[:, 1:, 2])
