import importlib.util
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "tools" / "blender_env.py"


@pytest.fixture
def blender_env(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("blender_env", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "blender_env", module)  # dataclasses look it up
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return module


def fake_python(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_running_python_serves_its_own_version(blender_env):
    version = ".".join(map(str, sys.version_info[:2]))

    assert blender_env.find_python(version) == sys.executable


def test_shim_that_does_not_run_is_passed_over(blender_env, tmp_path, monkeypatch):
    fake_python(tmp_path / "shims" / "python3.99", "echo 'command not found' >&2; exit 127")
    real = tmp_path / "pyenv" / "versions" / "3.99.1" / "bin" / "python"
    fake_python(real, "echo 3.99")
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:/usr/bin:/bin")

    assert blender_env.find_python("3.99") == str(real)


def test_version_without_its_python_is_skipped_and_said_to_be(blender_env, capsys):
    odd = blender_env.Blender("9.9", "3.99", ("bpy==9.9",))

    status = blender_env.run_each([odd], lambda _: "passed")

    assert status == 2
    assert "Blender 9.9: SKIPPED: there is no Python 3.99" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("results", "status"), [(("passed", "passed"), 0), (("passed", "FAILED: exit status 1"), 1)]
)
def test_status_tells_whether_any_version_failed(blender_env, results, status):
    ready = [blender_env.Blender(str(k), "3.11", ("bpy",)) for k in range(len(results))]
    for each in ready:
        each.folder.mkdir(parents=True)
        each.stamp.write_text("\n".join((*each.packages, *blender_env.TEST_PACKAGES)))

    assert blender_env.run_each(ready, lambda each: results[int(each.version)]) == status


def test_half_made_environment_is_not_ready(blender_env):
    blender = blender_env.BLENDERS[0]
    blender.folder.mkdir(parents=True)

    assert not blender_env.is_ready(blender)


def test_unknown_version_is_named_with_those_there_are(blender_env, capsys):
    with pytest.raises(SystemExit) as caught:
        blender_env.main(["test", "1.0"])

    assert caught.value.code == 2
    assert "no Blender 1.0; there are 4.2, 4.5, 5.0, 5.2" in capsys.readouterr().err
