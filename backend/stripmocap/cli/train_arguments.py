"""What may be typed after `stripmocap train`. Light, as parser.py is."""

from __future__ import annotations

import argparse
from pathlib import Path

_Verbs = argparse._SubParsersAction  # argparse gives it no public name
SOLVERS = ("fast", "paper")


def add_train(verbs: _Verbs) -> None:
    """Adds the verb and what it can train."""
    train = verbs.add_parser("train", help="make the weights that are shipped, from free mocap")
    what = train.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_prior(what)
    _add_hmr(what)
    _add_spin(what)
    _add_vibe(what)
    _add_humor(what)


def _add_prior(what: _Verbs) -> None:
    prior = what.add_parser("pose-prior", help="the mixture that says how likely a pose is")
    prior.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    _add_output(prior, "pose_prior.safetensors")
    prior.add_argument("--seed", type=int, default=0)


def _add_hmr(what: _Verbs) -> None:
    hmr = what.add_parser(
        "hmr",
        help="the regressor from keypoints to bodies; Ctrl-C keeps what is learnt, and the same "
        "command goes on",
    )
    hmr.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    _add_output(hmr, "spin.safetensors")
    _add_run(hmr, steps=27000, batch=512, rate=1e-3)
    hmr.add_argument("--start", type=Path, metavar="WEIGHTS", help="begin with these")
    hmr.add_argument("--averaging", type=float, default=0.999, metavar="X", help="default 0.999")
    hmr.add_argument("--critic", type=float, default=0.0, metavar="X", help="weight, default 0")
    hmr.add_argument("--device", metavar="NAME", help="default: a graphics card if there is one")


def _add_spin(what: _Verbs) -> None:
    spin = what.add_parser("spin", help="a regressor with SMPLify in the loop")
    spin.add_argument(
        "--data", type=Path, nargs="+", default=[], metavar="FILE", help="SPIN's layout, .npz"
    )
    spin.add_argument("--images", type=Path, metavar="DIR", help="default: beside --data")
    spin.add_argument("--body", type=Path, metavar="FILE", help="of --data; default: our own")
    spin.add_argument(
        "--mocap", type=Path, metavar="DIR", help="instead of --data: keypoints of clips, .npz"
    )
    spin.add_argument("--samples", type=_count, default=20000, metavar="N", help="of --mocap")
    spin.add_argument(
        "--known",
        type=float,
        default=0.05,
        metavar="X",
        help="share of --mocap's samples whose parameters may be used, default 0.05",
    )
    spin.add_argument("--start", type=Path, metavar="FILE", help="weights; default: untrained")
    spin.add_argument("--solver", choices=SOLVERS, default="fast")
    spin.add_argument("--fits", type=Path, metavar="DIR", help="default: inside --folder")
    _add_output(spin, "spin_in_the_loop.safetensors")
    _add_run(spin, steps=20000, batch=64, rate=5e-5)


def _add_vibe(what: _Verbs) -> None:
    vibe = what.add_parser("vibe", help="the temporal network over keypoints; goes on as hmr does")
    vibe.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    vibe.add_argument(
        "--start", type=Path, metavar="WEIGHTS", help="of single frames, as hmr makes them"
    )
    _add_output(vibe, "vibe.safetensors")
    _add_run(vibe, steps=2000, batch=16, rate=2e-3)
    vibe.add_argument("--frames", type=_count, default=64, metavar="N", help="of a piece")
    vibe.add_argument("--memory", type=_count, default=256, metavar="N", help="of each GRU")
    vibe.add_argument(
        "--gentle",
        type=float,
        default=0.0,
        metavar="X",
        help="share of the rate at which --start's part learns on, default 0",
    )
    vibe.add_argument("--averaging", type=float, default=0.998, metavar="X", help="default 0.998")
    vibe.add_argument("--critic", type=float, default=0.0, metavar="X", help="weight of VIBE's")
    vibe.add_argument("--device", metavar="NAME", help="default: a graphics card if there is one")


def _add_humor(what: _Verbs) -> None:
    humor = what.add_parser(
        "humor",
        help="the motion prior, its pose prior and how motions begin; goes on as hmr does",
    )
    humor.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    _add_output(humor, "humor.safetensors")
    _add_run(humor, steps=9000, batch=64, rate=2e-3)
    humor.add_argument("--hidden", type=_count, default=512, metavar="N", help="of each layer")
    humor.add_argument(
        "--further-steps",
        type=_count,
        default=3600,
        metavar="N",
        help="after --steps, of longer windows that it leads itself on in, default 3600",
    )
    humor.add_argument("--pose-steps", type=_count, default=4000, metavar="N", help="default 4000")
    humor.add_argument("--averaging", type=float, default=0.998, metavar="X", help="default 0.998")


def _add_output(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("-o", "--output", type=Path, default=Path(name), metavar="FILE")


def _add_run(parser: argparse.ArgumentParser, *, steps: int, batch: int, rate: float) -> None:
    """What every training in training/loop.py takes."""
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="for the checkpoint and the curves (default: beside the output)",
    )
    parser.add_argument("--steps", type=_count, default=steps, metavar="N")
    parser.add_argument("--batch", type=_count, default=batch, metavar="N")
    parser.add_argument("--rate", type=float, default=rate, metavar="X", help="learning rate")
    parser.add_argument("--seed", type=int, default=0)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number
