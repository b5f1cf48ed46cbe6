from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from stripmocap.methods.smplify.levenberg import Band, Shared, System, minimise
from torch import Tensor

SIZE = 4


@dataclass(frozen=True)
class Point:
    """A state of N frames with D unknowns and G groups with S shared ones."""

    frames: Tensor
    shared: Tensor


@dataclass(frozen=True)
class Quadratic:
    """Energy x A x / 2 - b x over all unknowns, known as a dense matrix for comparison."""

    matrix: Tensor  # (N D + G S, ...)
    right: Tensor
    groups: Tensor
    shared_size: int = 0
    chained: bool = False

    def linearise(self, state: Point) -> System:
        count, chain_size = len(self.groups), len(self.groups) * SIZE
        flat = torch.cat([state.frames.flatten(), state.shared.flatten()])
        gradient = self.matrix @ flat - self.right
        energy = 0.5 * flat @ self.matrix @ flat - self.right @ flat
        blocks = self.matrix[:chain_size, :chain_size].unflatten(0, (count, SIZE))
        blocks = blocks.unflatten(2, (count, SIZE)).transpose(1, 2)  # (N, N, D, D)

        def below(apart: int) -> Tensor:
            found = torch.zeros(count, SIZE, SIZE, dtype=torch.float64)
            for t in range(count - apart):
                found[t] = blocks[t + apart, t]
            return found

        shared = None
        if self.shared_size:
            shared = Shared(
                gradient=gradient[chain_size:].view(1, -1),
                diagonal=self.matrix[chain_size:, chain_size:][None],
                frames=self.matrix[:chain_size, chain_size:].unflatten(0, (count, SIZE)),
            )
        return System(
            # Above zero, as a sum of squares would be, so that relative gains make sense.
            energy=(energy + 1000).expand(int(self.groups.max()) + 1),
            gradient=gradient[:chain_size].view(count, SIZE),
            diagonal=below(0),
            band=Band(below(1), below(2), below(3)) if self.chained else None,
            shared=shared,
        )

    def moved(self, state: Point, step: Tensor, shared_step: Tensor | None) -> Point:
        return Point(
            state.frames + step, state.shared if shared_step is None else state.shared + shared_step
        )

    def choose(self, accepted: Tensor, new: Point, old: Point) -> Point:
        return Point(
            torch.where(accepted[self.groups][:, None], new.frames, old.frames),
            torch.where(accepted[:, None], new.shared, old.shared),
        )


def banded(count: int, *, reach: int, shared: int = 0, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    size = count * SIZE + shared
    root = torch.randn(size, size, generator=generator, dtype=torch.float64)
    frame = torch.arange(count).repeat_interleave(SIZE)
    keep = torch.ones(size, size, dtype=torch.bool)
    keep[: count * SIZE, : count * SIZE] = (frame[:, None] - frame).abs() <= reach
    symmetric = (root + root.T) * keep
    matrix = symmetric + 4 * size * torch.eye(size, dtype=torch.float64)
    return matrix, torch.randn(size, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(
    ("reach", "shared"),
    [(0, 0), (0, 3), (2, 0), (2, 3), (3, 0)],
    ids=["apart", "shape", "chain", "both", "far"],
)
def test_a_quadratic_is_solved_as_by_a_dense_solver(reach: int, shared: int):
    matrix, right = banded(6, reach=reach, shared=shared)
    problem = Quadratic(
        matrix, right, torch.zeros(6, dtype=torch.int64), shared_size=shared, chained=reach > 0
    )
    start = Point(torch.ones(6, SIZE).double(), torch.ones(1, shared).double())

    found, _ = minimise(problem, start, iterations=12, damping=1e-8, tolerance=0)

    expected = torch.linalg.solve(matrix, right)
    got = torch.cat([found.frames.flatten(), found.shared.flatten()])
    # The floor under the diagonal, 1e-6, slows convergence a little but does not move the end.
    torch.testing.assert_close(got, expected, atol=1e-8, rtol=0)


@dataclass(frozen=True)
class Valley:
    """Two frames apart: Rosenbrock's valley, and a place whose steps all lead to NaN."""

    groups: Tensor

    def linearise(self, state: Point) -> System:
        x, y = state.frames.unbind(dim=1)
        root = torch.stack([10 * (y - x**2), 1 - x], dim=1)
        jacobian = torch.stack(
            [
                torch.stack([-20 * x, 10 * torch.ones_like(x)], 1),
                torch.stack([-torch.ones_like(x), torch.zeros_like(x)], 1),
            ],
            dim=1,
        )
        energy = 0.5 * root.square().sum(dim=1)
        energy[1] = torch.where(state.frames[1, 0] == 5, energy[1], torch.nan)
        return System(energy, (jacobian.mT @ root[..., None])[..., 0], jacobian.mT @ jacobian)

    moved = Quadratic.moved
    choose = Quadratic.choose


def test_a_frame_that_goes_wrong_stays_put_and_stops_nobody_else():
    start = Point(torch.tensor([[-1.2, 1.0], [5.0, 5.0]]).double(), torch.zeros(2, 0).double())

    found, energy = minimise(Valley(torch.arange(2)), start, iterations=60, tolerance=0)

    torch.testing.assert_close(found.frames[0], torch.ones(2).double(), atol=1e-6, rtol=0)
    assert energy[0] < 1e-10
    assert found.frames[1].tolist() == [5.0, 5.0]


@dataclass(frozen=True)
class Pair:
    """Two chains with one quadratic each; the model of the first is spoilt."""

    chains: tuple[Quadratic, Quadratic]
    groups: Tensor
    harm: float

    def linearise(self, state: Point) -> System:
        halves = [Point(each, state.shared[:1]) for each in state.frames.chunk(2)]
        one, other = (each.linearise(half) for each, half in zip(self.chains, halves, strict=True))
        assert one.band is not None
        assert other.band is not None
        bands = zip(one.band.blocks, other.band.blocks, strict=True)
        apart = 0.0 * (state.frames[2] - state.frames[3]).sum()  # as what is not linked counts
        return System(
            torch.cat([one.energy, other.energy + apart]),
            torch.cat([one.gradient, other.gradient]),
            torch.cat([self.harm * one.diagonal, other.diagonal]),
            band=Band(*(torch.cat(each) for each in bands)),
        )

    moved = Quadratic.moved
    choose = Quadratic.choose


@pytest.mark.parametrize("harm", [-1.0, float("nan")], ids=["no valley", "no number"])
def test_a_chain_whose_model_is_no_valley_stops_no_other_chain(harm: float):
    alone = torch.zeros(3, dtype=torch.int64)
    one, other = (
        Quadratic(*banded(3, reach=2, seed=seed), groups=alone, chained=True) for seed in (0, 1)
    )
    groups = torch.tensor([0, 0, 0, 1, 1, 1])
    start = Point(torch.ones(6, SIZE).double(), torch.ones(2, 0).double())

    found, _ = minimise(Pair((one, other), groups, harm), start, iterations=1)

    mine = Point(start.frames[3:], start.shared[:1])
    expected, _ = minimise(other, mine, iterations=1)
    assert torch.equal(found.frames[:3], start.frames[:3])
    assert not torch.equal(expected.frames, mine.frames)
    torch.testing.assert_close(found.frames[3:], expected.frames, atol=1e-12, rtol=0)


def test_a_report_that_raises_stops_the_work():
    matrix, right = banded(2, reach=0)
    problem = Quadratic(matrix, right, torch.zeros(2, dtype=torch.int64))
    start = Point(torch.ones(2, SIZE).double(), torch.ones(1, 0).double())

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        minimise(problem, start, iterations=5, on_step=stop)
