import json

import numpy as np
import pytest
from stripmocap.contract.errors import AssetCorrupt
from stripmocap.training.mocap import load_clips, shares
from toyclips import toy_clip


@pytest.fixture
def folder(tmp_path):
    """Two clips of the val split; the poses of frame i are all i / 100, the places i."""
    frames = np.arange(50)
    np.savez(
        tmp_path / "cmu_val.npz",
        poses=np.broadcast_to(frames[:, None, None] / 100, (50, 24, 3)).astype(np.float16),
        trans=np.broadcast_to(frames[:, None], (50, 3)).astype(np.float32),
    )
    clips = [
        {"id": f"{start}", "kind": "walk", "subject": "7", "start": start, "frames": count,
         "shard": "cmu_val.npz", "feet_ok": True}
        for start, count in ((0, 20), (20, 30))
    ]  # fmt: skip
    (tmp_path / "index.json").write_text(json.dumps({"clips": clips}), encoding="utf-8")
    return tmp_path


def test_each_clip_has_its_own_rows_of_turns_poses_and_places(folder):
    first, second = load_clips(folder, "val")

    assert len(first.body_pose) == len(first.pelvis) == 20
    assert second.pelvis[0].tolist() == [20.0, 20.0, 20.0]
    np.testing.assert_allclose(second.global_orient[0], 0.2, atol=1e-3)
    np.testing.assert_allclose(second.body_pose[-1], 0.49, atol=1e-3)


def test_places_that_do_not_belong_to_the_poses_are_refused(folder):
    poses = np.zeros((50, 24, 3), dtype=np.float16)
    np.savez(folder / "cmu_val.npz", poses=poses, trans=np.zeros((49, 3)))

    with pytest.raises(AssetCorrupt, match="49 places for 50 poses"):
        load_clips(folder, "val")


def test_a_kind_weighs_as_the_root_of_its_length():
    clips = (
        toy_clip(frames=100),
        toy_clip(kind="run", frames=200),
        toy_clip(kind="run", frames=200),
    )

    walk, *run = shares(clips)

    assert sum(run) == pytest.approx(2 * walk)
    assert run[0] == run[1]
