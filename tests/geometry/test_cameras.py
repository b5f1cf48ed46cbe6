import pytest
import torch
from stripmocap.geometry import cameras
from torch.testing import assert_close

CENTER = torch.tensor([320.0, 240.0])


def test_projection_of_point_on_axis_is_principal_point():
    pixel = cameras.project(torch.tensor([0.0, 0, 3]), focal=500, center=CENTER)

    assert_close(pixel, CENTER)


def test_a_metre_right_at_a_metre_is_a_focal_length_right():
    pixel = cameras.project(torch.tensor([1.0, 0, 1]), focal=500, center=CENTER)

    assert_close(pixel, CENTER + torch.tensor([500.0, 0]))


def test_point_behind_the_camera_gives_finite_pixels_and_gradients():
    point = torch.tensor([0.1, 0.2, -1], requires_grad=True)

    pixel = cameras.project(point, focal=500, center=CENTER)
    pixel.sum().backward()

    assert torch.isfinite(pixel).all()
    assert torch.isfinite(point.grad).all()


def test_weak_camera_of_the_crop_is_the_camera_of_a_picture_that_is_the_crop():
    camera = torch.tensor([[0.9, 0.1, -0.2]])

    of_crop = cameras.weak_perspective_to_transl(camera, focal=5000, size_px=224)
    of_picture = cameras.crop_to_picture_transl(
        camera, box_center=torch.tensor([[112.0, 112]]), box_side=torch.tensor([224.0]),
        focal=5000, center=torch.tensor([112.0, 112]),
    )  # fmt: skip

    assert_close(of_picture, of_crop)


def test_person_of_a_crop_projects_into_its_box():
    center, side = torch.tensor([[500.0, 130]]), torch.tensor([200.0])

    transl = cameras.crop_to_picture_transl(
        torch.tensor([[1.0, 0, 0]]), box_center=center, box_side=side, focal=800, center=CENTER
    )

    assert_close(cameras.project(transl, focal=800, center=CENTER), center)
    # At scale one, a metre is half the side of the box.
    assert_close(800 / transl[:, 2], side / 2)


@pytest.fixture
def boxes():
    """Weak cameras of crops, and the boxes in a picture of 640 x 480 px."""
    camera = torch.tensor([[0.9, 0.1, -0.2], [1.2, -0.4, 0.0], [0.5, 0.0, 0.3]])
    center = torch.tensor([[100.0, 300], [320, 240], [630, 20]])
    return camera, {
        "box_center": center,
        "box_side": torch.tensor([150.0, 300, 60]),
        "size_px": torch.tensor([640.0, 480]),
    }


def test_a_point_is_seen_at_one_place_by_the_crops_and_the_pictures_weak_camera(boxes):
    camera, box = boxes
    point = torch.tensor([0.3, -0.5])

    of_crop = box["box_center"] + box["box_side"][:, None] / 2 * camera[:, :1] * (
        point + camera[:, 1:]
    )
    whole = cameras.crop_to_picture_camera(camera, **box)
    of_picture = box["size_px"] / 2 * (1 + whole[:, :2] * (point + whole[:, 2:]))

    assert_close(of_picture, of_crop)


def test_the_crops_weak_camera_comes_back_from_the_pictures(boxes):
    camera, box = boxes

    back = cameras.picture_to_crop_camera(cameras.crop_to_picture_camera(camera, **box), **box)

    assert_close(back, camera)


def test_weak_cameras_of_crop_and_picture_put_the_person_in_one_place(boxes):
    camera, box = boxes
    center = torch.tensor([319.5, 239.5])
    whole = cameras.crop_to_picture_camera(camera, **box)

    of_picture = cameras.picture_camera_to_transl(
        whole, focal=800.0, center=center, size_px=box["size_px"]
    )
    of_crop = cameras.crop_to_picture_transl(
        camera, box_center=box["box_center"], box_side=box["box_side"], focal=800.0, center=center
    )

    assert_close(of_picture, of_crop, atol=1e-4, rtol=1e-5)


def test_translation_is_found_again_from_exact_keypoints():
    points = torch.randn(3, 20, 3, generator=torch.Generator().manual_seed(0))
    transl = torch.tensor([[0.3, -0.2, 4], [0, 0, 9], [-2, 1, 20]])
    keypoints = cameras.project(points + transl[:, None], focal=900, center=CENTER)

    found = cameras.transl_from_keypoints(
        points, keypoints, confidence=torch.ones(3, 20), focal=900, center=CENTER
    )

    assert_close(found, transl, atol=1e-3, rtol=0)


def test_keypoints_without_confidence_have_no_say():
    points = torch.randn(1, 20, 3, generator=torch.Generator().manual_seed(0))
    transl = torch.tensor([[0.3, -0.2, 4]])
    keypoints = cameras.project(points + transl[:, None], focal=900, center=CENTER)
    keypoints[:, :5] += 400
    confidence = torch.ones(1, 20)
    confidence[:, :5] = 0

    found = cameras.transl_from_keypoints(
        points, keypoints, confidence=confidence, focal=900, center=CENTER
    )

    assert_close(found, transl, atol=1e-3, rtol=0)


def test_each_person_may_have_a_camera_of_their_own():
    points = torch.randn(2, 20, 3, generator=torch.Generator().manual_seed(0))
    transl = torch.tensor([[0.3, -0.2, 4], [0, 0, 9]])
    focal = torch.tensor([900.0, 1500.0])[:, None, None]
    keypoints = cameras.project(points + transl[:, None], focal=focal, center=CENTER)

    found = cameras.transl_from_keypoints(
        points, keypoints, confidence=torch.ones(2, 20), focal=focal, center=CENTER
    )

    assert_close(found, transl, atol=1e-3, rtol=0)


@pytest.mark.parametrize("seen", [0.0, 1.0])
def test_translation_is_finite_whoever_is_seen(seen):
    points, keypoints = torch.zeros(1, 20, 3), CENTER.expand(1, 20, 2)

    found = cameras.transl_from_keypoints(
        points, keypoints, confidence=torch.full((1, 20), seen), focal=900, center=CENTER
    )

    assert torch.isfinite(found).all()


def test_a_crop_in_the_middle_is_seen_as_the_picture_is():
    rotmat = cameras.crop_to_picture_rotmat(box_center=CENTER, focal=900, center=CENTER)

    assert_close(rotmat, torch.eye(3))


def test_the_axis_of_a_crop_points_at_the_middle_of_its_box():
    box_center = torch.tensor([[100.0, 900.0], [1500.0, 20.0], [640.0, 360.0]])

    rotmat = cameras.crop_to_picture_rotmat(box_center=box_center, focal=900, center=CENTER)

    assert_close(cameras.project(rotmat[..., 2], focal=900, center=CENTER), box_center)
    assert_close(rotmat @ rotmat.mT, torch.eye(3).expand(3, 3, 3), atol=1e-6, rtol=0)
    assert_close(rotmat.det(), torch.ones(3))
