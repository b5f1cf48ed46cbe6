"""Tests inside Blender, as the module bpy; tools/blender_env.py runs them in each version.

Without bpy every file here skips itself aloud.
"""

from __future__ import annotations

import os
import sys

import pytest


@pytest.fixture
def scene():
    """The scene of a new, empty file."""
    import bpy

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return bpy.context.scene


@pytest.fixture
def addon(scene):
    """The extension, registered as Blender would."""
    from stripmocap_extension.addon import registration

    registration.register()
    yield scene
    registration.unregister()


def pytest_sessionfinish(session, exitstatus):
    session.config.stash[_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    # Blender 4.2 crashes and 4.5 hangs in the interpreter's own end, after all is said.
    if "bpy" in sys.modules and _STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_STATUS])


_STATUS = pytest.StashKey[int]()
