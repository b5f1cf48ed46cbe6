import pytest
import torch
from stripmocap.experiments import vibe_windows
from stripmocap.methods.features.keypoints import NUMBERS
from stripmocap.methods.vibe.keypoint_network import Sizes, TemporalNetwork
from stripmocap.training.shots import shot_of
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return TemporalNetwork(Sizes(features=16, blocks=1, memory=12)).eval()


@pytest.mark.parametrize("length", [1, 4, 7])
@torch.no_grad()
def test_a_window_is_all_that_a_frame_knows(network, length):
    numbers = torch.rand(60, NUMBERS, generator=torch.Generator().manual_seed(1))

    found = vibe_windows.in_windows(network, numbers, frames=torch.tensor([30]), length=length)

    first = 30 - length // 2
    alone = network.features(numbers[None, first : first + length])[:, length // 2]
    torch.testing.assert_close(found, alone)
    elsewhere = numbers.clone()
    elsewhere[:first], elsewhere[first + length :] = 0.5, 0.5
    again = vibe_windows.in_windows(network, elsewhere, frames=torch.tensor([30]), length=length)
    torch.testing.assert_close(again, found)


def test_frames_that_are_judged_have_room_for_the_longest_window():
    reach = max(vibe_windows.LENGTHS) // 2 + 1

    frames = vibe_windows.judged(200)

    assert frames.min() >= reach
    assert frames.max() < 200 - reach
    assert len(vibe_windows.judged(40)) == 0


def test_every_length_judges_the_same_frames(network):
    body = embedded_body()
    shots = [shot_of(toy_clip(frames=frames), body, seed=0) for frames in (100, 20)]

    rows = vibe_windows.run(network, shots, body=body)

    assert [row.frames for row in rows] == [*vibe_windows.LENGTHS, None]
    assert {row.means.frames for row in rows} == {len(vibe_windows.judged(100))}
    assert all(row.means.pa_mm > 0 and row.means.accel >= 0 for row in rows)
