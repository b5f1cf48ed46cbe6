"""A small problem for HuMoR's fit as the paper poses it: toy people who drift before a camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from stripmocap.contract.body_file import BodyTemplate
from stripmocap.geometry.cameras import project
from stripmocap.methods.humor.figure import Figure
from stripmocap.methods.humor.initial_state import NUMBERS, InitialStatePrior
from stripmocap.methods.humor.network import MotionPrior, Sizes
from stripmocap.methods.humor.objective import Frames, Observed, Priors, Problem
from stripmocap.methods.humor.pose_prior import PosePrior, PoseSizes
from torchtoys import toy_template

FOCAL_PX = 1000.0
CENTER_PX = (640.0, 360.0)


def toy_figure(
    template: BodyTemplate | None = None, *, dtype: torch.dtype = torch.float64
) -> Figure:
    """The toy's joints and landmarks, as BlazePose sees them."""
    return Figure.of_blazepose(template or toy_template(), dtype=dtype)


def toy_priors(dtype: torch.dtype = torch.float64) -> Priors:
    """Small random networks, and a wide Gaussian over first moments."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        motion = MotionPrior(Sizes(latent=6, hidden=64, layers=2))
        pose = PosePrior(PoseSizes(latent=5, hidden=16))
        # So that random transitions are small ones.
        with torch.no_grad():
            for each in list(motion.decoder.net[-1].parameters()):
                each *= 0.02
    initial = InitialStatePrior.from_mixture(
        np.zeros((1, NUMBERS)), np.eye(NUMBERS)[None], weights=np.ones(1), dtype=dtype
    )
    networks = (each.to(dtype).eval().requires_grad_(False) for each in (motion, pose))
    return Priors(*networks, initial)


def drifting(priors: Priors, *, motions: int = 1, frames: int = 8, seed: int = 0) -> Frames:
    """Toys four metres away that face the camera, turn a little, and drift sideways."""
    generator = torch.Generator().manual_seed(seed)
    latent = priors.pose.sizes.latent

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    along = torch.linspace(0, 1, frames, dtype=torch.float64)[:, None]
    place = torch.tensor([0.0, 0.1, 4.0], dtype=torch.float64)
    facing = torch.tensor([torch.pi - 0.1, 0.0, 0.0], dtype=torch.float64)
    return Frames(
        transl=place + 0.3 * normal(motions, 1, 3) * along,
        global_orient=facing + 0.2 * normal(motions, 1, 3) * along,
        pose_latents=normal(motions, 1, latent) + normal(motions, 1, latent) * along,
        betas=0.5 * normal(motions, 10),
    )


def exact_problem(truth: Frames, *, figure: Figure, priors: Priors) -> Problem:
    """What a camera sees of `truth` without noise, the floor a metre below it."""
    points = truth.points(figure, priors.pose).detach()
    center = torch.tensor(CENTER_PX, dtype=points.dtype)
    pixels = project(points[..., figure.keypoints, :], focal=FOCAL_PX, center=center)
    observed = Observed(
        keypoints=pixels,
        confidence=torch.ones_like(pixels[..., 0]),
        focal=pixels.new_tensor([FOCAL_PX, FOCAL_PX]),
        center=center,
        floor=pixels.new_tensor([0.0, 1.0, 0.1]).expand(len(pixels), 3),
    )
    return Problem(figure, priors, observed)


def nudged(frames: Frames, *, by: float) -> Frames:
    """The same a little off, everywhere."""
    generator = torch.Generator().manual_seed(9)

    def off(tensor: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        return tensor + by * noise.to(tensor)

    return replace(
        frames,
        transl=off(frames.transl),
        global_orient=off(frames.global_orient),
        pose_latents=off(frames.pose_latents),
    )
