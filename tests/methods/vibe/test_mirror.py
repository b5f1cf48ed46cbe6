import torch
from stripmocap.contract.skeleton import BLAZEPOSE_NAMES, JOINT_NAMES, mirrored
from stripmocap.geometry.cameras import weak_perspective_to_transl
from stripmocap.geometry.rotations import aa_to_matrix, matrix_to_rot6d
from stripmocap.methods.features.keypoints import view_of
from stripmocap.methods.hmr.regressor import read_state
from stripmocap.methods.vibe.mirror import mirrored_numbers, mirrored_states
from stripmocap.training.synthetic import embedded_body
from torch.testing import assert_close

_ACROSS = torch.tensor([-1.0, 1.0, 1.0])


def dice():
    return torch.Generator().manual_seed(1)


def states():
    rotmat = aa_to_matrix(0.5 * torch.randn(3, 24, 3, generator=dice()))
    rest = torch.cat(
        [torch.randn(3, 10, generator=dice()), torch.tensor([[0.9, 0.2, -0.1]] * 3)], 1
    )
    return torch.cat([matrix_to_rot6d(rotmat).flatten(1), rest], dim=1)


def exchanged(values, names):
    return values[:, [names.index(mirrored(name)) for name in names]]


def test_twice_in_the_mirror_is_oneself():
    numbers = torch.randn(2, 5, 202, generator=dice())

    assert_close(mirrored_numbers(mirrored_numbers(numbers)), numbers)
    assert_close(mirrored_states(mirrored_states(states())), states())


def test_a_mirrored_state_stands_as_the_mirror_image():
    body = embedded_body()
    one, other = read_state(states()), read_state(mirrored_states(states()))

    joints, _ = body.stand(one.rotmat, betas=one.betas)
    image, _ = body.stand(other.rotmat, betas=other.betas)

    # Our body's halves differ by less than that.
    assert_close(image, exchanged(joints, JOINT_NAMES) * _ACROSS, atol=0.01, rtol=0)


def test_a_mirrored_state_stands_where_the_mirror_image_is():
    place, image = (
        weak_perspective_to_transl(read_state(each).camera, focal=5000.0, size_px=224.0)
        for each in (states(), mirrored_states(states()))
    )

    assert_close(image, place * _ACROSS)


def test_mirrored_numbers_are_those_of_the_mirrored_picture():
    keypoints = torch.rand(4, 33, 3, generator=dice()) * torch.tensor([640.0, 480.0, 1.0])
    landmarks3d = torch.randn(4, 33, 3, generator=dice())
    center = torch.tensor([320.0, 240.0])
    picture = exchanged(keypoints, BLAZEPOSE_NAMES)
    picture[..., 0] = 640.0 - picture[..., 0]

    image = view_of(
        picture,
        focal=700.0,
        center=center,
        landmarks3d=exchanged(landmarks3d, BLAZEPOSE_NAMES) * _ACROSS,
    )

    plain = view_of(keypoints, focal=700.0, center=center, landmarks3d=landmarks3d)
    assert_close(image.numbers, mirrored_numbers(plain.numbers), atol=1e-5, rtol=0)
