import pytest
import torch
from stripmocap.methods.features.keypoints import view_of
from stripmocap.methods.hmr.inference import prepared
from stripmocap.methods.hmr.keypoint_network import KeypointNetwork
from stripmocap.methods.hmr.pixel_network import PixelNetwork
from stripmocap.methods.hmr.regressor import Regressor


def view(people, device="cpu"):
    keypoints = torch.rand(people, 33, 3, generator=torch.Generator().manual_seed(1))
    return view_of(keypoints.to(device), focal=1.0, center=torch.zeros(2, device=device))


@pytest.mark.parametrize("rectified", [False, True])
def test_a_prepared_keypoint_network_answers_the_same(rectified):
    torch.manual_seed(0)
    network = KeypointNetwork(32, blocks=1, hidden=16)
    network.regressor = Regressor(32, hidden=16, dropout=0.5, rectified=rectified)

    got = prepared(network, device=torch.device("cpu"))(view(6))

    expected = network.eval()(view(6))
    torch.testing.assert_close(got.rotmat, expected.rotmat)
    torch.testing.assert_close(got.camera, expected.camera)


def test_preparing_leaves_the_network_in_training():
    network = KeypointNetwork(16, blocks=1, hidden=16)

    prepared(network, device=torch.device("cpu"))

    assert network.training
    assert isinstance(network.regressor, Regressor)
    assert all(each.requires_grad for each in network.parameters())


@pytest.mark.gpu
def test_half_precision_on_a_graphics_card_says_nearly_the_same():
    if not torch.cuda.is_available():
        pytest.skip("no accelerator here")
    torch.manual_seed(0)
    network = PixelNetwork().eval()
    pictures = torch.randn(3, 3, 224, 224)

    swift = prepared(network, device=torch.device("cuda"))
    with torch.no_grad():
        got, expected = swift.features(pictures.cuda()).cpu(), network.features(pictures)

    assert (got - expected).norm() < 0.02 * expected.norm()
    with torch.no_grad():
        rotmat = swift(pictures.cuda()).rotmat
    assert rotmat.dtype == torch.float32
