"""Tests inside Blender, as the module bpy; tools/blender_env.py runs them in each version.

Without bpy every file here skips itself aloud.
"""

from __future__ import annotations

import os
import sys
from fractions import Fraction

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


@pytest.fixture
def tweak():
    """Has an action edited as a strip of a rig's NLA: the rig can be given no other then."""

    def edit(rig, action):
        animation = rig.animation_data
        animation.action = None
        track = animation.nla_tracks.new()
        track.strips.new("walk", 1, action).select = True
        animation.nla_tracks.active = track
        animation.use_tweak_mode = True

    return edit


@pytest.fixture
def panel(addon, tmp_path, monkeypatch):
    """The extension's panel with a service in memory."""
    import toypanel

    monkeypatch.setenv("STRIPMOCAP_DATA", str(tmp_path / "data"))
    made = toypanel.Panel(tmp_path)
    made.restart()
    return made


@pytest.fixture
def strip(panel):
    """A selected strip of a movie of two seconds, from frame 11 on."""
    pytest.importorskip("av", reason="makes the movie")
    import barcode
    import toypanel

    movie = panel.folder / "walk.mp4"
    barcode.write_movie(movie, frames=60, fps=Fraction(30))
    return toypanel.add_strip(movie)


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
