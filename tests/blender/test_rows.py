import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.ui import rows  # noqa: E402

pytestmark = pytest.mark.blender


def test_a_picture_stands_upright_in_a_frame_of_its_persons_colour():
    picture = np.zeros((4, 6, 3), dtype=np.uint8)
    picture[0] = 255  # the top row

    framed = rows._framed(picture, rows.colour_of(1))

    inner = framed[rows.FRAME_PX : -rows.FRAME_PX, rows.FRAME_PX : -rows.FRAME_PX]
    assert inner.shape == (4, 6, 4)
    assert (inner[-1] == 1).all()  # Blender's rows run up
    np.testing.assert_allclose(framed[0, 0, :3], rows.COLOURS[1])


def test_colours_go_round_and_names_are_those_of_rigs():
    assert rows.colour_of(len(rows.COLOURS)) == rows.COLOURS[0]
    assert rows.name_of(0) == "Person 0"


def test_the_active_person_stands_first_in_a_selection(addon):
    for person in (4, 5, 6):
        rows.of(bpy.context).people.add().person = person

    rows.select(bpy.context, [4, 6], active=6)

    assert rows.selected(bpy.context) == [6, 4]
    assert rows.active_person(bpy.context) == 6


def test_clicking_a_row_selects_that_person_alone(addon):
    for person in (4, 5):
        rows.of(bpy.context).people.add().person = person
    rows.select(bpy.context, [4, 5])

    rows.of(bpy.context).active = 1

    assert rows.selected(bpy.context) == [5]


def test_an_empty_list_has_nobody_selected(addon):
    rows.show(bpy.context, None)

    assert rows.selected(bpy.context) == []
    assert rows.active_person(bpy.context) is None
