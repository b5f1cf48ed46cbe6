import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

pytestmark = pytest.mark.blender

ROOT = Path(__file__).parents[2]
# Enables the installed extension as the preferences do, uses it, and takes it away again.
ENABLE = """
import bpy, os, sys
import addon_utils
name = "bl_ext.user_default.stripmocap"
bpy.ops.extensions.repo_refresh_all()
module = addon_utils.enable(name, default_set=True)
assert module is not None and module.__file__.startswith(os.environ["BLENDER_USER_RESOURCES"])
assert bpy.ops.stripmocap.import_capture.poll()
body = sys.modules[name + ".addon.contract"].body_file
print("body there:", body.EMBEDDED_BODY.is_file())
assert not any(each == "stripmocap" or each.startswith("stripmocap.") for each in sys.modules)
addon_utils.disable(name, default_set=True)
assert not hasattr(bpy.types, "STRIPMOCAP_OT_import_capture")
print("enabled and disabled", flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    scripts = Path(bpy.utils.system_resource("SCRIPTS"))
    builder = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    if not builder.is_file():
        pytest.skip("this Blender has no builder of extensions")
    path = tmp_path_factory.mktemp("dist") / "stripmocap.zip"
    for arguments in (
        ["build", "--source-dir", str(ROOT), "--output-filepath", str(path)],
        ["validate", str(path)],
    ):
        done = subprocess.run(
            [sys.executable, str(builder), *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return path


def test_package_holds_both_houses_and_no_tests(package):
    names = set(zipfile.ZipFile(package).namelist())

    assert {"blender_manifest.toml", "__init__.py", "addon/contract.py"} <= names
    assert "backend/stripmocap/contract/motion.py" in names
    unwanted = ("tests/", "tools/", ".git", ".venv", "docs/")
    assert not [each for each in names if each.startswith(unwanted) or "__pycache__" in each]


def test_installed_package_is_enabled_and_disabled_without_a_trace(package, tmp_path):
    folder = tmp_path / "extensions" / "user_default" / "stripmocap"
    zipfile.ZipFile(package).extractall(folder)
    environment = os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", ENABLE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "enabled and disabled" in done.stdout, done.stdout + done.stderr
    assert "Policy violation" not in done.stdout + done.stderr
