from __future__ import annotations

import pytest
import torch
from stripmocap.methods.features.keypoints import NUMBERS
from stripmocap.methods.vibe import chunks
from stripmocap.methods.vibe.keypoint_network import MARGIN, Sizes, TemporalNetwork
from stripmocap.methods.vibe.views import views_over_time


def untrained(seed: int = 0) -> TemporalNetwork:
    torch.manual_seed(seed)
    network = TemporalNetwork(Sizes(features=32, blocks=1, memory=24)).eval()
    torch.nn.init.normal_(network.states.weight, std=0.5)
    return network.requires_grad_(False)


@pytest.mark.parametrize("frames", [1, 3, 20, 59, 60, 500])
@pytest.mark.parametrize("unseen", [(), (0, 5), (20, 41), (50, 60), (0, 60)])
def test_a_shot_is_shown_in_pieces_as_it_is_as_a_whole(frames, unseen):
    dice = torch.Generator().manual_seed(3)
    keypoints = torch.cat(
        [600 * torch.rand(60, 33, 2, generator=dice), torch.rand(60, 33, 1, generator=dice)], dim=2
    )
    keypoints[slice(*unseen) if unseen else [], :, 2] = 0.0
    landmarks3d = torch.randn(60, 33, 3, generator=dice)
    center = torch.tensor([320.0, 240.0])

    found = chunks.shown(
        keypoints, landmarks3d=landmarks3d, focal_px=900.0, center=center, frames=frames
    )

    whole = views_over_time(
        keypoints[None], focal=900.0, center=center, landmarks3d=landmarks3d[None]
    )
    torch.testing.assert_close(found, whole.numbers, atol=1e-6, rtol=0)


@pytest.mark.parametrize("frames", [1, 2, 7, 50, 99, 100, 101, 5000])
@pytest.mark.parametrize("people", [1, 3])
def test_a_shot_in_pieces_is_the_shot_as_a_whole(frames, people):
    network = untrained()
    numbers = torch.randn(people, 100, NUMBERS, generator=torch.Generator().manual_seed(1))

    pieces = list(chunks.read(network, numbers, frames=frames))

    whole = network(numbers)
    for name in ("rotmat", "betas", "camera"):
        parts = [getattr(each, name).unflatten(0, (people, -1)) for each in pieces]
        expected = getattr(whole, name).unflatten(0, (people, -1))
        torch.testing.assert_close(torch.cat(parts, dim=1), expected, atol=1e-4, rtol=0)


def test_both_ends_of_a_long_shot_are_heard_in_a_piece_of_its_middle():
    network = untrained()
    numbers = torch.randn(1, 40, NUMBERS, generator=torch.Generator().manual_seed(2))
    expected = list(chunks.read(network, numbers, frames=10))[2].betas

    for changed in (15, 35):
        other = numbers.clone()
        other[0, changed] += 1.0
        found = list(chunks.read(network, other, frames=10))[2].betas

        assert (found - expected).abs().max() > 1e-6


def test_however_long_a_shot_is_few_frames_are_looked_at_at_once(monkeypatch):
    network, looked = untrained(), []
    whole = network.single

    def single(numbers):
        looked.append(numbers.shape[1])
        return whole(numbers)

    monkeypatch.setattr(network, "single", single)
    numbers = torch.zeros(1, 6_000, NUMBERS)

    found = sum(len(each.betas) for each in chunks.read(network, numbers, frames=1000))

    assert found == 6_000
    assert max(looked) <= 1000 + 2 * MARGIN
    assert sum(looked) <= 11_000 + 22 * MARGIN  # each piece twice but the first
