import torch
from stripmocap.methods.humor.robust import bisquare_weights


def test_what_is_near_counts_and_what_is_far_does_not():
    distances = torch.cat([torch.linspace(0, 0.1, 99), torch.tensor([5.0])]).unsqueeze(0)

    weights = bisquare_weights(distances)

    assert weights[0, 0] == 1
    assert weights[0, -1] == 0
    assert (weights.diff() <= 0).all()


def test_rows_are_weighed_alone_and_by_no_unit():
    distances = torch.rand(1, 50, generator=torch.Generator().manual_seed(0))

    both = bisquare_weights(torch.cat([distances, 1000 * distances]))

    torch.testing.assert_close(both[0], both[1])


def test_distances_that_are_all_one_weigh_alike():
    assert (bisquare_weights(torch.full((1, 5), 0.3)) == 1).all()
