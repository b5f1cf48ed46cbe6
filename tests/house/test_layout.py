"""One version, one licence, and no package where pytest would trip over one."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from house.sources import ROOT, read, tracked_files


def version_by_pyproject(pyproject: str, manifest: str) -> str:
    """The version that the build of the backend reads out of the manifest."""
    pattern = tomllib.loads(pyproject)["tool"]["hatch"]["version"]["pattern"]
    found = re.search(pattern, manifest, flags=re.MULTILINE)
    assert found is not None
    return found["version"]


def packages_under_tests(files: list[Path]) -> list[Path]:
    """Every __init__.py under tests: with one, pytest would import Blender's door and so bpy."""
    return [each for each in files if each.parts[0] == "tests" and each.name == "__init__.py"]


def test_the_backend_has_the_version_of_the_manifest():
    manifest = read(Path("blender_manifest.toml"))

    version = version_by_pyproject(read(Path("pyproject.toml")), manifest)

    assert version == tomllib.loads(manifest)["version"]


def test_the_format_of_the_manifest_is_not_taken_for_the_version():
    pyproject = read(Path("pyproject.toml"))

    assert version_by_pyproject(pyproject, 'schema_version = "1"\nversion = "2.0.1"\n') == "2.0.1"


def test_the_installed_backend_has_the_version_of_the_manifest():
    try:
        installed = importlib.metadata.version("stripmocap")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the backend is not installed (make .venv)")

    assert installed == tomllib.loads(read(Path("blender_manifest.toml")))["version"]


def test_the_changelog_begins_with_the_version_of_the_manifest():
    first = re.search(r"^## \[([^\]]+)\]", read(Path("CHANGELOG.md")), flags=re.MULTILINE)

    assert first is not None
    assert first[1] == tomllib.loads(read(Path("blender_manifest.toml")))["version"]


def test_everything_has_one_licence():
    manifest = tomllib.loads(read(Path("blender_manifest.toml")))
    project = tomllib.loads(read(Path("pyproject.toml")))["project"]

    assert manifest["license"] == [f"SPDX:{project['license']}"]
    assert "GNU GENERAL PUBLIC LICENSE" in read(Path("LICENSE"))


def test_tests_hold_no_package():
    assert packages_under_tests(tracked_files()) == []
    assert (ROOT / "tests").is_dir()


def test_a_package_under_tests_is_found():
    files = [Path("tests/body/__init__.py"), Path("addon/__init__.py")]

    assert packages_under_tests(files) == [files[0]]
