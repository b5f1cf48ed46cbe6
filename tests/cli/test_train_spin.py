"""What `stripmocap train spin` and `experiment spin` refuse before anything heavy begins."""

import pytest
from stripmocap.cli import experiment_spin, parser, train_spin
from stripmocap.contract.errors import AssetMissing, RequestError


def test_people_must_come_from_somewhere(tmp_path):
    arguments = parser.make().parse_args(["train", "spin", "-o", str(tmp_path / "a.safetensors")])

    with pytest.raises(RequestError, match="either from datasets or from clips"):
        train_spin.run(arguments)


def test_a_folder_of_clips_that_is_not_there_is_named(tmp_path):
    nowhere = tmp_path / "nowhere"
    for verb, run in (("train", train_spin.run), ("experiment", experiment_spin.run)):
        said = {
            "train": ["--mocap", str(nowhere)],
            "experiment": ["--data", str(nowhere), "--weights", "a", "--folder", "b"],
        }[verb]
        arguments = parser.make().parse_args([verb, "spin", *said])

        with pytest.raises(RequestError, match="nowhere is not a folder"):
            run(arguments)


def test_weights_to_start_fits_from_must_be_there(tmp_path):
    folder, weights = str(tmp_path), str(tmp_path / "w.safetensors")
    arguments = parser.make().parse_args(
        ["experiment", "spin", "--data", folder, "--weights", weights, "--folder", folder]
    )

    with pytest.raises(AssetMissing, match=r"w\.safetensors"):
        experiment_spin.run(arguments)
