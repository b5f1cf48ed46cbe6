import pytest
import torch
from stripmocap import figures
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.training.held_out_humor import HORIZONS_S, JudgedPrior, Plausible
from stripmocap.training.humor_data import StretchBank
from stripmocap.training.humor_pages import draw_samples_if_possible, scores_page
from stripmocap.training.synthetic import embedded_body
from toyclips import toy_clip

SOME = (1.0, 2.0, 3.0, 4.0)
EACH = Plausible(7.04, 0.4, 1.0, 0.02, 0.6)


def judged(contacts=(0.9, 0.8, 0.95)):
    return JudgedPrior(3.04, contacts, SOME, SOME, SOME, SOME, SOME, SOME, EACH, EACH)


def test_every_score_has_its_place_in_the_tables():
    page = scores_page({"val": judged(), "test": judged()})

    assert all(f"{horizon:g} s" in page for horizon in HORIZONS_S)
    assert page.count("| 1 | 2 | 3 | 4 |") == 12
    assert "| val | 3.0 | 90.0 % | 80.0 % | 95.0 % |" in page
    assert "| test | captured | 7.0 | 40 % | 1.0 | 2.0 % | 0.60 |" in page


def test_a_share_of_nothing_is_a_dash():
    page = scores_page({"val": judged((0.9, float("nan"), 0.9))})

    assert "| 90.0 % | - | 90.0 % |" in page


@pytest.mark.skipif(not figures.is_possible(), reason="matplotlib is not installed")
def test_imagined_motions_are_drawn(tmp_path):
    torch.manual_seed(0)
    network = MotionPrior(Sizes(latent=4, hidden=32, layers=1, coasting=1)).eval()
    people = StretchBank.of((toy_clip(frames=90),), embedded_body()).draw(
        2, 3, torch.Generator().manual_seed(0)
    )

    draw_samples_if_possible(network, people, tmp_path / "samples.png", seed=0)

    assert (tmp_path / "samples.png").read_bytes().startswith(b"\x89PNG")
