"""Small stretches of mocap and a small motion prior that begins to learn from them."""

from __future__ import annotations

import torch
from stripmocap.methods.humor.network import Sizes
from stripmocap.training.humor import Stretcher, begun
from stripmocap.training.humor_data import StretchBank
from stripmocap.training.humor_scales import Scaled
from stripmocap.training.humor_windows import Page, page_of
from stripmocap.training.synthetic import LandmarkBody
from toyclips import toy_clip

SMALL = Sizes(latent=6, hidden=32, layers=1, coasting=1)


def small_bank(body: LandmarkBody) -> StretchBank:
    """Two clips, of one of which the feet are not known."""
    return StretchBank.of((toy_clip(frames=90), toy_clip(name="b", feet_ok=False)), body)


def small_page(bank: StretchBank) -> Page:
    """Five windows of six moments."""
    return page_of(bank.draw(5, 7, torch.Generator().manual_seed(3)))


def small_network(bank: StretchBank) -> Scaled:
    """Untrained, but for the scales that it has from the bank."""
    torch.manual_seed(0)
    return begun(SMALL, Stretcher(bank, seed=1)).eval()
