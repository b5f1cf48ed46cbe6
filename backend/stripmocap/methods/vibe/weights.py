"""Weights of temporal networks: VIBE's as they are published.

A checkpoint of VIBE holds the generator in `gen_state_dict`, with the body of SMPL among its
entries, which is left alone: bodies are read from files of their own. Optimisers, scores and the
motion discriminator beside it are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ... import checkpoints, torch_files
from ...contract.errors import AssetCorrupt
from .pixel_network import Generator

_GENERATOR = "gen_state_dict"
_MARKS = {"encoder.gru.weight_ih_l0", "regressor.decpose.weight"}
_BODY = "regressor.smpl."


def load_generator(path: Path) -> Generator:
    """VIBE's generator from a checkpoint as it is published: on the CPU, evaluating.

    Read are files whose entry `gen_state_dict` holds it (`vibe_model_w_3dpw.pth.tar`,
    `vibe_model_wo_3dpw.pth.tar`), and those that hold it alone.

    Raises:
        AssetMissing: there is no such file.
        AssetCorrupt: it is damaged or another file, or its weights are not all there.
    """
    content = torch_files.read(path)
    state = content.get(_GENERATOR, content) if isinstance(content, Mapping) else {}
    if not isinstance(state, Mapping) or not _MARKS.issubset(state):
        kind = torch_files.kind_of(content)
        what = "a VIBE checkpoint without VIBE's layers" if _is_vibe(content) else kind
        raise AssetCorrupt(f"{path} is {what}, not VIBE's generator", hint=_HINT)
    network = Generator().eval()
    wanted = network.state_dict()
    tensors = {
        str(name): torch_files.fitting(each, wanted.get(name))
        for name, each in state.items()
        if not str(name).startswith(_BODY)
    }
    checkpoints.fill(network, tensors, name=str(path))
    return network


def _is_vibe(content: object) -> bool:
    return isinstance(content, Mapping) and _GENERATOR in content


_HINT = "Choose vibe_model_wo_3dpw.pth.tar of VIBE, as its authors give it away."
