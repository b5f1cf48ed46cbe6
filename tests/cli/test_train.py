from __future__ import annotations

import pytest
from stripmocap import cli
from stripmocap.training import pose_prior


def test_the_training_gets_what_was_typed(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(pose_prior, "main", lambda *given, **more: asked.append((given, more)))
    output = tmp_path / "prior.safetensors"

    status = cli.main(
        ["train", "pose-prior", "--data", str(tmp_path), "-o", str(output), "--seed", "3"]
    )

    ((given, more),) = asked
    assert status == cli.DONE
    assert given == (tmp_path, output)
    assert more["seed"] == 3


@pytest.mark.parametrize(
    ("data", "output", "said"),
    [("no", "a.safetensors", "is not a folder"), (".", "a.npz", "does not end in .safetensors")],
)
def test_what_cannot_be_trained_is_refused(tmp_path, monkeypatch, capsys, data, output, said):
    monkeypatch.chdir(tmp_path)

    status = cli.main(["train", "pose-prior", "--data", data, "-o", output])

    assert status == cli.REFUSED
    assert said in capsys.readouterr().err
