import torch
from stripmocap.training.series import slow_and_fast, slow_series


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def alike(series, apart):
    return float((series[apart:] * series[:-apart]).mean() / series.square().mean())


def test_numbers_are_standard_normal():
    found = slow_series(4000, (8,), generator(), fps=30.0, slow=(0.5, 0.3))

    assert abs(float(found.mean())) < 0.1
    assert abs(float(found.std()) - 1) < 0.05


def test_slow_part_forgets_in_its_seconds_and_fast_part_at_once():
    calm, fast = slow_and_fast(6000, (8,), generator(), fps=30.0, seconds=0.5)

    assert abs(alike(calm, 15) - 0.37) < 0.06
    assert abs(alike(fast, 1)) < 0.03
