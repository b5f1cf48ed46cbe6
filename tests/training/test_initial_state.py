import numpy as np
from stripmocap.training.initial_state import fit, likelihood


def silent(*_):
    pass


def heaps(count=3000, *, seed=0):
    rng = np.random.default_rng(seed)
    middles = np.zeros((2, 20))
    middles[1, :3] = 5.0
    return middles[rng.integers(2, size=count)] + 0.3 * rng.standard_normal((count, 20))


def test_two_heaps_are_found():
    found = fit(heaps(), components=2, seed=0, report=silent)

    assert np.allclose(np.sort(found.means[:, 0]), [0.0, 5.0], atol=0.2)
    assert np.allclose(found.weights, 0.5, atol=0.1)
    assert np.isclose(found.weights.sum(), 1.0)


def test_more_gaussians_explain_two_heaps_better():
    numbers = heaps()

    one, two = (fit(numbers, components=count, seed=0, report=silent) for count in (1, 2))

    assert likelihood(two, heaps(seed=1)) > likelihood(one, heaps(seed=1)) + 1.0


def test_a_seed_gives_always_the_same():
    first, again = (fit(heaps(100), components=3, seed=4, report=silent) for _ in range(2))

    assert np.array_equal(first.means, again.means)


def test_what_never_changes_keeps_a_spread():
    numbers = heaps()
    numbers[:, 19] = 1.0

    found = fit(numbers, components=2, seed=0, report=silent)

    assert np.linalg.eigvalsh(found.covariances).min() > 1e-6
