import pytest
import torch
from stripmocap.methods.features import resnet
from torch import nn


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = resnet.ResNet50().eval()
    for each in network.modules():  # as a trained network's would be, not the identity
        if isinstance(each, nn.BatchNorm2d):
            nn.init.uniform_(each.weight, 0.5, 1.0)
            nn.init.normal_(each.bias, std=0.1)
            nn.init.normal_(each.running_mean, std=0.1)
            nn.init.uniform_(each.running_var, 0.5, 1.5)
    return network


def test_it_has_fifty_layers_with_weights_but_for_the_classifier(network):
    layers = [name for name, each in network.named_modules() if isinstance(each, nn.Conv2d)]

    assert len([name for name in layers if "downsample" not in name]) == 49


def test_features_are_one_row_a_picture(network):
    assert network(torch.rand(2, 3, 64, 64)).shape == (2, resnet.FEATURES)


def test_fused_features_are_equal(network):
    pictures = torch.randn(2, 3, 96, 96)

    with torch.no_grad():
        expected, got = network(pictures), resnet.fused(network)(pictures)

    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max()))


def test_fusing_leaves_the_network_as_it_was(network):
    before = {name: each.clone() for name, each in network.state_dict().items()}

    fused = resnet.fused(network)

    assert not any(isinstance(each, nn.BatchNorm2d) for each in fused.modules())
    for name, each in network.state_dict().items():
        assert torch.equal(each, before[name])


def test_the_mean_colour_is_fed_as_zero():
    mean = 255 * torch.tensor([0.485, 0.456, 0.406]).expand(1, 4, 4, 3)

    fed = resnet.normalised(mean)

    assert fed.shape == (1, 3, 4, 4)
    assert fed.abs().max() < 1e-6
