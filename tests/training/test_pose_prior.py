import json

import numpy as np
import pytest
from safetensors.numpy import load_file
from stripmocap.contract.errors import AssetCorrupt, AssetMissing
from stripmocap.contract.skeleton import JOINT_NAMES
from stripmocap.training import pose_prior
from stripmocap.training.mocap import Clip, load_clips


def quiet(_stage, _done, _of):
    pass


def clip(*, kind="walk", frames=600, feet_ok=True, mean=0.0, seed=0):
    rng = np.random.default_rng(seed)
    pose = mean + 0.2 * rng.standard_normal((frames, 23, 3))
    return Clip("x", kind, pose, feet_ok, np.zeros((frames, 3)), np.zeros((frames, 3)))


@pytest.fixture
def folder(tmp_path):
    """Two clips a split, in the form of the shared data."""
    for split in ("train", "val", "test"):
        poses = 0.2 * np.random.default_rng(0).standard_normal((1200, 24, 3))
        arrays = {"poses": poses.astype(np.float16), "trans": np.zeros((1200, 3), np.float32)}
        np.savez(tmp_path / f"cmu_{split}.npz", **arrays)
    clips = [
        {"id": f"{split}{start}", "kind": "walk" if start else "", "subject": "7", "start": start,
         "frames": 600, "shard": f"cmu_{split}.npz", "feet_ok": start == 0}
        for split in ("train", "val", "test") for start in (0, 600)
    ]  # fmt: skip
    (tmp_path / "index.json").write_text(json.dumps({"clips": clips}), encoding="utf-8")
    return tmp_path


def test_mirroring_twice_is_the_pose_itself():
    pose = clip().body_pose

    np.testing.assert_allclose(pose_prior.mirror(pose_prior.mirror(pose)), pose)


def test_mirrored_left_knee_is_the_right_knee_bent_the_same_way():
    pose = np.zeros((1, 23, 3))
    pose[0, JOINT_NAMES.index("left_knee") - 1] = [1.0, 0.1, 0.2]

    mirrored = pose_prior.mirror(pose)

    right = mirrored[0, JOINT_NAMES.index("right_knee") - 1]
    np.testing.assert_allclose(right, [1.0, -0.1, -0.2])


def test_a_long_clip_weighs_as_the_root_of_its_length():
    clips = (clip(frames=600), clip(frames=2400))

    poses = pose_prior.weighed_poses(clips, mirrored=False)

    short, long = poses.weights[:100].sum(), poses.weights[100:].sum()
    assert long == pytest.approx(2 * short)


def test_kinds_are_balanced_whatever_their_number_of_clips():
    many = tuple(clip(kind="walk", frames=600, seed=each) for each in range(4))
    poses = pose_prior.weighed_poses((*many, clip(kind="dance", frames=2400)), mirrored=False)

    assert poses.weights[:400].sum() == pytest.approx(poses.weights[400:].sum())


def test_two_kinds_of_pose_become_two_gaussians():
    clips = (clip(mean=-0.5, seed=1), clip(mean=0.5, seed=2))
    poses = pose_prior.weighed_poses(clips, mirrored=False)

    mixture = pose_prior.fit(poses, components=2, seed=0, report=quiet)

    # Shoulders: a joint with little spread of its own.
    shoulder = 3 * (JOINT_NAMES.index("left_shoulder") - 1)
    np.testing.assert_allclose(np.sort(mixture.means[:, shoulder]), [-0.5, 0.5], atol=0.06)
    np.testing.assert_allclose(mixture.weights, [0.5, 0.5], atol=0.02)


def test_wrong_feet_teach_nothing():
    right, wrong = clip(seed=1), clip(seed=2, feet_ok=False)
    feet = [JOINT_NAMES.index(name) - 1 for name in pose_prior.FEET]
    wrong.body_pose[:, feet] = 2.5 / 3**0.5
    poses = pose_prior.weighed_poses((right, wrong), mirrored=False)

    mixture = pose_prior.fit(poses, components=1, seed=0, report=quiet)

    means = mixture.means.reshape(23, 3)[feet]
    spread = np.sqrt(np.diagonal(mixture.covars[0])).reshape(23, 3)[feet]
    assert np.abs(means).max() < 0.1
    assert spread.min() > 0.15
    assert spread.max() < 0.35


def test_joints_that_never_move_keep_a_broad_spread():
    still = clip()
    hands = [JOINT_NAMES.index(name) - 1 for name in ("left_hand", "right_hand")]
    still.body_pose[:, hands] = 0

    mixture = pose_prior.fit(
        pose_prior.weighed_poses((still,), mirrored=True), components=2, seed=0, report=quiet
    )

    spread = np.sqrt(np.diagonal(mixture.covars, axis1=1, axis2=2)).reshape(2, 23, 3)
    assert spread[:, hands].min() > 0.19


def test_training_writes_weights_and_a_card_and_repeats_itself(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pose_prior, "ITERATIONS", 3)
    first, second = tmp_path / "a" / "prior.safetensors", tmp_path / "b" / "prior.safetensors"

    for output in (first, second):
        pose_prior.main(folder, output, seed=5, report=quiet)

    assert first.read_bytes() == second.read_bytes()
    assert load_file(first)["means"].shape == (8, 69)
    card = first.with_suffix(".md").read_text(encoding="utf-8")
    assert "mocap.cs.cmu.edu" in card
    assert "seed 5" in card


def test_missing_and_spoilt_data_are_named(folder):
    (folder / "cmu_val.npz").unlink()
    with pytest.raises(AssetMissing, match="cmu_val"):
        load_clips(folder, "val")

    (folder / "index.json").write_text("{}", encoding="utf-8")
    with pytest.raises(AssetCorrupt):
        load_clips(folder, "train")
