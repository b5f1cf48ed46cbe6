import numpy as np
import pytest
from numpy.testing import assert_allclose
from stripmocap_extension.addon.contract import quaternions, skeleton
from stripmocap_extension.addon.rigging import axes, bones
from toybody import rotation, skinned_vertices, toy_body, toy_joints

NAMES = skeleton.JOINT_NAMES


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def world_from_camera():
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(np.array([-1.4, 0.3, 0.2]))
    matrix[:3, 3] = [0.5, -3.0, 1.6]
    return matrix


def random_motion(rng, frames=5):
    return {
        "global_orient": rng.normal(scale=1.5, size=(frames, 3)),
        "body_pose": rng.normal(scale=0.7, size=(frames, 23, 3)),
        "transl": rng.normal(size=(frames, 3)),
    }


def vertices_by_bones(body, rest, *, betas, quats, locations):
    """What an armature modifier makes of the turned rest mesh, in plain matrices."""
    mesh = axes.rest_to_blender(body.v_template + body.shapedirs.astype(float) @ betas)
    posed, skinning = [], []
    for joint, parent in enumerate(skeleton.PARENTS):
        basis = np.eye(4)
        basis[:3, :3] = quaternions.quat_to_matrix(quats[joint])
        basis[:3, 3] = locations if parent < 0 else 0
        own = matrix(rest, joint)
        above = np.eye(4) if parent < 0 else posed[parent] @ np.linalg.inv(matrix(rest, parent))
        posed.append(above @ own @ basis)
        skinning.append(posed[joint] @ np.linalg.inv(own))
    points = np.c_[mesh, np.ones(len(mesh))]
    return np.einsum("vj,jab,vb->va", normalised(body.lbs_weights), np.array(skinning), points)[
        :, :3
    ]


def matrix(rest, joint):
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = rest.rotations[joint], rest.heads[joint]
    return out


def normalised(weights):
    weights = weights.astype(float)
    return weights / weights.sum(axis=1, keepdims=True)


def test_bones_move_every_vertex_as_skinning_matrices_do(rng, world_from_camera):
    body, betas = toy_body(), rng.normal(size=10)
    motion = random_motion(rng)
    joints = body.J_regressor.astype(float) @ (
        body.v_template + body.shapedirs.astype(float) @ betas
    )
    rest = bones.rest_bones(joints)

    quats = bones.pose_quats(
        motion["global_orient"],
        motion["body_pose"],
        world_from_camera=world_from_camera,
        rest_rotations=rest.rotations,
    )
    locations = bones.root_locations(
        motion["transl"],
        rest_pelvis=joints[0],
        world_from_camera=world_from_camera,
        root_head=rest.heads[0],
        root_rotation=rest.rotations[0],
    )

    for frame in range(5):
        camera = skinned_vertices(body, betas=betas, **{k: v[frame] for k, v in motion.items()})
        expected = camera @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
        got = vertices_by_bones(
            body, rest, betas=betas, quats=quats[frame], locations=locations[frame]
        )
        assert_allclose(got, expected, atol=1e-6)


def test_motion_found_with_another_shape_keeps_the_pelvis_where_it_was(rng, world_from_camera):
    motion = random_motion(rng)
    rest = bones.rest_bones(toy_joints())
    pelvis = np.array([0.01, 1.02, -0.03])

    locations = bones.root_locations(
        motion["transl"],
        rest_pelvis=pelvis,
        world_from_camera=world_from_camera,
        root_head=rest.heads[0],
        root_rotation=rest.rotations[0],
    )

    expected = (motion["transl"] + pelvis) @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
    assert_allclose(rest.heads[0] + locations @ rest.rotations[0].T, expected)


def test_rest_rotations_are_rotations():
    rest = bones.rest_bones(toy_joints())

    assert_allclose(
        rest.rotations @ rest.rotations.transpose(0, 2, 1),
        np.tile(np.eye(3), (24, 1, 1)),
        atol=1e-12,
    )
    assert_allclose(np.linalg.det(rest.rotations), np.ones(24))


@pytest.mark.parametrize(
    ("name", "target"), [("left_knee", "left_ankle"), ("right_elbow", "right_wrist")]
)
def test_bone_ends_at_the_joint_it_points_at(name, target):
    rest = bones.rest_bones(toy_joints())

    assert_allclose(rest.tails[NAMES.index(name)], rest.heads[NAMES.index(target)])


def test_right_bones_mirror_left_bones():
    rest = bones.rest_bones(toy_joints())
    mirror = np.diag([-1.0, 1.0, 1.0])

    for joint, name in enumerate(NAMES):
        other = NAMES.index(skeleton.mirrored(name))
        expected = mirror @ rest.rotations[joint] @ mirror  # keeps it a rotation
        assert_allclose(rest.rotations[other], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("joint", "closing"),
    [
        ("left_knee", (1, 0, 0)),  # SMPL bends a knee back by turning it about +x
        ("right_knee", (1, 0, 0)),
        ("left_elbow", (0, -1, 0)),  # and an elbow forward about -y (left), +y (right)
        ("right_elbow", (0, 1, 0)),
    ],
)
def test_hinges_close_with_a_positive_local_x(joint, closing):
    rest = bones.rest_bones(toy_joints())
    pose = np.zeros((1, 23, 3))
    index = NAMES.index(joint)
    pose[0, index - 1] = 0.5 * np.array(closing)

    quats = bones.pose_quats(
        np.zeros((1, 3)), pose, world_from_camera=np.eye(4), rest_rotations=rest.rotations
    )

    # The limbs of the toy are a few degrees off the axes, so the hinge is too.
    assert_allclose(quats[0, index], [np.cos(0.25), np.sin(0.25), 0, 0], atol=0.02)


def test_joints_that_coincide_still_give_bones_that_blender_keeps():
    joints = toy_joints()
    joints[NAMES.index("left_elbow")] = joints[NAMES.index("left_shoulder")]
    joints[NAMES.index("left_ankle")] = joints[NAMES.index("left_knee")]

    rest = bones.rest_bones(joints)

    assert np.linalg.norm(rest.tails - rest.heads, axis=1).min() >= 0.0099
    assert np.isfinite(rest.rotations).all()
