"""Body poses as 32 numbers of which likely ones are short: a variational autoencoder like VPoser.

The form is that of VPoser's first version (Pavlakos et al., "Expressive Body Capture", CVPR 2019,
3.3, and its published snapshot); layers are named as there. What decodes to a pose is drawn from a
standard normal, so that the squared length of a latent is the energy of its pose.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import leaky_relu, softplus

from ...geometry.rotations import rot6d_to_matrix
from .network import Gaussian

BODY_JOINTS = 21  # all but the pelvis and the hands
_LEAK = 0.2
_DROPOUT = 0.1


@dataclass(frozen=True)
class PoseSizes:
    """What one pose prior has more or less of than another; kept in its file."""

    latent: int = 32
    hidden: int = 512


class PosePrior(nn.Module):
    """Poses of 21 joints to latents and back."""

    def __init__(self, sizes: PoseSizes | None = None) -> None:
        """An untrained network; the published one has the sizes that `PoseSizes` begins with."""
        super().__init__()
        self.sizes = sizes = sizes or PoseSizes()
        latent, hidden = sizes.latent, sizes.hidden
        self.bodyprior_enc_bn1 = nn.BatchNorm1d(3 * BODY_JOINTS)
        self.bodyprior_enc_fc1 = nn.Linear(3 * BODY_JOINTS, hidden)
        self.bodyprior_enc_bn2 = nn.BatchNorm1d(hidden)
        self.bodyprior_enc_fc2 = nn.Linear(hidden, hidden)
        self.bodyprior_enc_mu = nn.Linear(hidden, latent)
        self.bodyprior_enc_logvar = nn.Linear(hidden, latent)
        self.dropout = nn.Dropout(_DROPOUT)
        self.bodyprior_dec_fc1 = nn.Linear(latent, hidden)
        self.bodyprior_dec_fc2 = nn.Linear(hidden, hidden)
        self.bodyprior_dec_out = nn.Linear(hidden, 6 * BODY_JOINTS)

    def encode(self, body_pose_aa: Tensor) -> Gaussian:
        """Latents (..., Z) of poses (..., 21, 3), axis-angles in radians."""
        lead = body_pose_aa.shape[:-2]
        found = self.bodyprior_enc_bn1(body_pose_aa.reshape(-1, 3 * BODY_JOINTS))
        found = leaky_relu(self.bodyprior_enc_fc1(found), _LEAK)
        found = self.dropout(self.bodyprior_enc_bn2(found))
        found = leaky_relu(self.bodyprior_enc_fc2(found), _LEAK)
        # The layer is called a log variance, but says a deviation before its softplus.
        deviation = softplus(self.bodyprior_enc_logvar(found))
        mean = self.bodyprior_enc_mu(found)
        return Gaussian(mean.view(*lead, -1), deviation.square().view(*lead, -1))

    def decode(self, latent: Tensor) -> Tensor:
        """(..., 21, 3, 3) joints to their parents, of latents (..., Z)."""
        found = self.dropout(leaky_relu(self.bodyprior_dec_fc1(latent), _LEAK))
        found = leaky_relu(self.bodyprior_dec_fc2(found), _LEAK)
        return rot6d_to_matrix(self.bodyprior_dec_out(found).unflatten(-1, (BODY_JOINTS, 6)))


def latent_energy(latent: Tensor) -> Tensor:
    """(...,) squared length of latents (..., Z)."""
    return latent.square().sum(dim=-1)
