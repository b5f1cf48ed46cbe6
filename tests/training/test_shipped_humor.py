from pathlib import Path

import stripmocap
import torch
from stripmocap.methods.humor.initial_state import NUMBERS
from stripmocap.methods.humor.own_weights import (
    load_own_initial_state_prior,
    load_own_motion_prior,
    load_own_pose_prior,
)
from stripmocap.methods.humor.state import State, changed
from stripmocap.training.humor_data import StretchBank
from stripmocap.training.humor_windows import page_of
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip

FOLDER = Path(stripmocap.__file__).parent / "weights"
MOST_BYTES = 40e6


def walk(*, seed=0):
    bank = StretchBank.of((toy_clip(frames=90),), embedded_body())
    return page_of(bank.draw(8, 20, torch.Generator().manual_seed(seed)))


def test_all_that_is_shipped_loads_and_is_small():
    files = sorted(FOLDER.glob("humor*.safetensors"))

    assert [each.stem for each in files] == ["humor", "humor_pose", "humor_start"]
    assert sum(each.stat().st_size for each in files) < MOST_BYTES
    assert all(each.with_suffix(".md").is_file() for each in files)
    assert load_own_motion_prior(FOLDER / "humor.safetensors").sizes.coasting == 1
    assert load_own_pose_prior(FOLDER / "humor_pose.safetensors").sizes.latent == 32
    mixture = load_own_initial_state_prior(FOLDER / "humor_start.safetensors")
    assert mixture.means.shape == (12, NUMBERS)


@torch.no_grad()
def test_it_knows_how_a_walk_goes_on_better_than_that_it_stops():
    network, page = load_own_motion_prior(FOLDER / "humor.safetensors"), walk()

    posterior = network.posterior(page.past, page.following)
    led = changed(page.past, network.decode(page.past, posterior.mean))

    off = (led.joints - page.following.joints).norm(dim=-1).mean()
    held = (page.past.joints - page.following.joints).norm(dim=-1).mean()
    assert off < held / 2


@torch.no_grad()
def test_a_walk_is_likelier_than_the_same_moments_in_disorder():
    network, page = load_own_motion_prior(FOLDER / "humor.safetensors"), walk()
    mixed = State(
        page.following.numbers[:, torch.randperm(19, generator=torch.Generator().manual_seed(0))]
    )

    true, other = (
        network.posterior(page.past, each).divergence(network.prior(page.past)).mean()
        for each in (page.following, mixed)
    )

    assert true < other


@torch.no_grad()
def test_who_stands_on_the_floor_begins_likelier_than_who_is_in_it():
    mixture = load_own_initial_state_prior(FOLDER / "humor_start.safetensors")
    numbers = walk().past.numbers[:, 0].clone()
    usual = mixture.energy(State(numbers)).mean()

    State(numbers).joints[..., 2] -= 0.5

    assert usual < mixture.energy(State(numbers)).mean()
