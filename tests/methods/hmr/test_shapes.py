from __future__ import annotations

import pytest
import torch
from stripmocap.contract import body_file
from stripmocap.methods.hmr.shapes import Shapes
from toybody import toy_body

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def bodies():
    load = body_file.load
    return {each: load(body_file.EMBEDDED_BODY, each) for each in ("neutral", "female", "male")}


def test_a_shape_that_all_frames_tell_is_taken():
    betas = torch.linspace(-1, 1, 10).expand(7, -1)

    shape = Shapes.from_template(toy_body(), device=CPU).agreed(
        betas, sure=torch.linspace(0.1, 1, 7), height_m=None
    )

    torch.testing.assert_close(shape, betas[0])


def test_a_few_frames_that_tell_of_somebody_else_hardly_count():
    betas = torch.zeros(20, 10)
    betas[3:5] = 8.0

    shape = Shapes.from_template(toy_body(), device=CPU).agreed(
        betas, sure=torch.ones(20), height_m=None
    )

    assert shape.norm() < 0.3


@pytest.mark.parametrize("height_m", [1.5, 1.95])
def test_with_a_height_the_body_is_as_tall(bodies, height_m):
    shapes = Shapes.from_template(bodies["neutral"], device=CPU)

    betas = shapes.agreed(
        torch.linspace(-2, 2, 50).view(5, 10), sure=torch.ones(5), height_m=height_m
    ).numpy()

    vertices = bodies["neutral"].v_template + bodies["neutral"].shapedirs @ betas
    assert vertices[:, 1].max() - vertices[:, 1].min() == pytest.approx(height_m, abs=0.02)


@pytest.mark.parametrize("gender", ["female", "male"])
def test_on_another_body_a_shape_is_the_one_that_was_meant(bodies, gender):
    spoken, worn = bodies["neutral"], bodies[gender]
    said = torch.zeros(1, 10)
    said[0, :2] = torch.tensor([1.0, -0.5])

    betas = Shapes.from_template(worn, spoken=spoken, device=CPU).agreed(
        said, sure=torch.ones(1), height_m=None
    )

    meant = spoken.v_template + spoken.shapedirs @ said[0].numpy()
    got = worn.v_template + worn.shapedirs @ betas.numpy()
    as_said = worn.v_template + worn.shapedirs @ said[0].numpy()
    assert abs(got - meant).mean() < 0.01
    assert abs(got - meant).mean() < abs(as_said - meant).mean()


def test_on_the_same_body_a_shape_stays_as_it_is(bodies):
    said = torch.linspace(-2, 2, 10)[None]
    shapes = Shapes.from_template(bodies["neutral"], spoken=bodies["neutral"], device=CPU)

    shape = shapes.agreed(said, sure=torch.ones(1), height_m=None)

    torch.testing.assert_close(shape, said[0])
