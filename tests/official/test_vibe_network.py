"""Our generator against `vibe_forward.npz`: features over time to the bodies of VIBE."""

import json

import numpy as np
import pytest
import torch
from stripmocap.body.landmarks import spin49_rows
from stripmocap.body.model import Body
from stripmocap.body.official import official_template
from stripmocap.body.reduced import ReducedBody
from stripmocap.evaluation.published import LSP14_OF_H36M
from stripmocap.geometry.rotations import aa_to_matrix
from stripmocap.methods.hmr.inference import prepared
from stripmocap.methods.hmr.regressor import Regressed
from stripmocap.methods.vibe.pixel_network import Generator, numbers_of, seen_in_crop

pytestmark = pytest.mark.official
TOLERANCE = 1e-5  # times 1 + the largest number, as the oracles ask of a single forward
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def numbers(oracles):
    return oracles("vibe_forward")


@pytest.fixture(scope="module")
def state(oracles):
    """Of the generator's own entries; the body among them is left out."""
    entries = json.loads((oracles.folder / "vibe_keys.json").read_text("utf-8"))["entries"]
    shapes = {entry["key"]: entry["shape"] for entry in entries}
    own = {key: each for key, each in shapes.items() if not key.startswith("regressor.smpl.")}
    return oracles.synth.fill_all(own, oracles.seed)


@pytest.fixture(scope="module")
def network(state):
    network = Generator().eval()
    network.load_state_dict({name: torch.as_tensor(each) for name, each in state.items()})
    return network


@pytest.fixture(scope="module")
def features(oracles):
    return features_of("vibe_feat", (2, 16, 2048), oracles)


@pytest.fixture(scope="module")
def template(oracles):
    arrays = oracles.synth.body("smpl", oracles.seed)
    extra = oracles.synth.regressor("extra", 9, oracles.seed)
    return official_template(arrays, name="synthetic", extra_regressor=extra)


@pytest.fixture(scope="module")
def said(network, features):
    with torch.no_grad():
        return network(features)[0]


def features_of(name, shape, oracles):
    return torch.tensor(np.abs(oracles.synth.normal(name, shape, oracles.seed)) * 0.5)


def near(got, expected):
    got, expected = np.asarray(got), np.asarray(expected)
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE * (1 + np.abs(expected).max()))


def near_numbers(got, expected):
    """Of (…, 85); axis-angles as rotations, because near pi an axis and its opposite are one."""
    expected = torch.tensor(expected).flatten(0, -2)
    near(got[:, :3], expected[:, :3])
    near(got[:, 75:], expected[:, 75:])
    got, expected = (each[:, 3:75].unflatten(1, (24, 3)) for each in (got, expected))
    near(aa_to_matrix(got), aa_to_matrix(expected))


def points_of(body: ReducedBody, said: Regressed):
    return body.points(said.global_orient, said.body_pose, betas=said.betas)


def test_weights_are_filled_as_the_oracles_were(state, numbers):
    sums = [state[str(name)].astype(np.float64).sum() for name in numbers["checksum_names"]]

    np.testing.assert_allclose(sums, numbers["checksums"], rtol=1e-6)


def test_our_state_is_that_of_vibe_entry_by_entry(state, network):
    ours = {name: tuple(each.shape) for name, each in network.state_dict().items()}

    assert ours == {name: each.shape for name, each in state.items()}


def test_the_memory_over_time_is_that_of_vibe(network, features, numbers):
    with torch.no_grad():
        found, last = network.encoder.gru(features)

    near(found[..., ::8], numbers["gru_out_every8"])
    near(last[..., ::8], numbers["gru_hn_every8"])


def test_features_over_time_are_those_of_vibe(network, features, numbers):
    with torch.no_grad():
        near(network.encoder(features)[0][..., ::8], numbers["encoder_every8"])


def test_bodies_are_those_of_vibe(said, numbers):
    near(said.rotmat, numbers["rotmat"].reshape(-1, 24, 3, 3))
    near_numbers(numbers_of(said), numbers["theta"])


def test_the_49_keypoints_are_those_of_vibe(said, template, numbers):
    keypoints = spin49_rows(template)

    points = points_of(ReducedBody.from_template(template, keypoints.rows), said)
    points = points[:, keypoints.points]

    near(points, numbers["kp_3d"].reshape(-1, 49, 3))
    near(seen_in_crop(points, said.camera), numbers["kp_2d"].reshape(-1, 49, 2))


def test_the_14_joints_of_h36m_are_those_of_vibe(oracles, said, template, numbers):
    regressor = oracles.synth.regressor("h36m", 17, oracles.seed)

    points = points_of(ReducedBody.from_template(template, regressor), said)
    points = points[:, 24:][:, LSP14_OF_H36M]

    near(points, numbers["kp_3d_h36m14"].reshape(-1, 14, 3))
    near(seen_in_crop(points, said.camera), numbers["kp_2d_h36m14"].reshape(-1, 14, 2))


def test_meshes_are_those_of_vibe(said, template, numbers):
    vertices = Body.from_template(template).vertices(
        said.global_orient, said.body_pose, betas=said.betas
    )

    near(vertices[:, ::200], numbers["verts_every200"].reshape(-1, 35, 3))


@pytest.mark.parametrize("piece", [40, 16, 7])
def test_a_shot_is_that_of_vibe_in_pieces_of_any_length(oracles, network, template, numbers, piece):
    features = features_of("vibe_feat_long", (1, 40, 2048), oracles)
    keypoints, swift = spin49_rows(template), prepared(network, device=CPU)
    body = ReducedBody.from_template(template, keypoints.rows)

    theta, points, memory = [], [], None
    with torch.no_grad():
        for part in features.split(piece, dim=1):
            found, memory = swift(part, memory)
            theta.append(numbers_of(found))
            points.append(points_of(body, found)[:, keypoints.points])

    near_numbers(torch.cat(theta), numbers["theta_long"])
    near(torch.cat(points), numbers["kp_3d_long"][0])
