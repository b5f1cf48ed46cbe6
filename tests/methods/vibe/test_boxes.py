import pytest
import torch
from stripmocap.contract.errors import RequestError
from stripmocap.methods.vibe.boxes import PERSON_PX, boxes_over_time, steadied
from torch.testing import assert_close


def walker(frames, *, start=(100.0, 200.0), step=4.0):
    """(T, 3, 3) a person 30 by 40 pixels, going to the right, with one unsure keypoint far off."""
    corners = torch.tensor([[0.0, 0.0, 0.9], [30.0, 40.0, 0.8], [900.0, 900.0, 0.1]])
    keypoints = corners.expand(frames, 3, 3).clone()
    keypoints[..., 0] += start[0] + step * torch.arange(frames)[:, None]
    keypoints[..., 1] += start[1]
    return keypoints


def test_a_box_is_about_the_sure_keypoints():
    boxes = boxes_over_time(walker(1))

    assert_close(boxes.center, torch.tensor([[115.0, 220.0]]))
    assert_close(boxes.side, torch.tensor([50.0]))
    assert_close(boxes.numbers[:, 2], torch.tensor([PERSON_PX / 50.0]))


def test_missing_frames_are_bridged_and_those_at_the_ends_left_out():
    keypoints = walker(9)
    whole = boxes_over_time(keypoints)
    keypoints[[0, 1, 4, 5, 8], :, 2] = 0
    keypoints[4] = torch.nan

    boxes = boxes_over_time(keypoints)

    assert (boxes.first, boxes.stop) == (2, 8)
    assert_close(boxes.numbers, whole.numbers[2:8])


def test_nobody_seen_is_said():
    with pytest.raises(RequestError, match="surer"):
        boxes_over_time(torch.zeros(4, 3, 3))


@pytest.mark.parametrize("beyond", ["nearest", "published"])
def test_one_wild_box_is_not_believed(beyond):
    boxes = torch.full((41, 3), 5.0)
    boxes[20] = 500.0

    calm = steadied(boxes, beyond=beyond)

    assert_close(calm[10:31], torch.full((21, 3), 5.0), atol=0.2, rtol=0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_boxes_that_stand_still_stay_where_they_are(frames):
    boxes = torch.tensor([300.0, 200.0, 0.5]).repeat(frames, 1)

    assert_close(steadied(boxes), boxes)


def test_the_published_median_holds_back_who_leaves_to_the_right_and_ours_does_not():
    walking = boxes_over_time(walker(60)).numbers
    calm, published = steadied(walking), steadied(walking, beyond="published")

    assert published[-1, 0] < calm[-1, 0] - 1.0
    assert_close(published[:20], calm[:20], atol=0.05, rtol=0)
