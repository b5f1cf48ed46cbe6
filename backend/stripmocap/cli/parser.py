"""What may be typed: every verb with its arguments. Light, so that `stripmocap --help` is quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..contract.body_file import GENDERS
from ..contract.methods import USUAL
from ..contract.motion import TAKE_LABELS
from .humor_arguments import add_humor_benchmark, add_humor_experiment
from .request_arguments import add_clip, add_corrections, add_request, ways
from .service_arguments import add_jobs, add_serve
from .train_arguments import add_train
from .vibe_arguments import add_vibe_experiment

_Verbs = argparse._SubParsersAction  # argparse gives it no public name


def make() -> argparse.ArgumentParser:
    """The parser of the whole command line; `verb` in its result is the name of a module here."""
    parser = argparse.ArgumentParser(
        prog="stripmocap", description="Turns footage of people into animated characters."
    )
    parser.add_argument("--version", action=_Version)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_capture(verbs)
    _add_people(verbs)
    _add_overlay(verbs)
    _add_export(verbs)
    _add_evaluate(verbs)
    _add_benchmark(verbs)
    add_train(verbs)
    _add_cache(verbs)
    _add_convert_body(verbs)
    add_serve(verbs)
    add_jobs(verbs, add_request=add_request)
    _add_experiment(verbs)
    doctor = verbs.add_parser("doctor", help="say what is installed, what is missing, what to do")
    doctor.add_argument("--json", type=Path, metavar="FILE", help="also write it as JSON")
    return parser


class _Version(argparse.Action):
    """Prints the version; a plain action would look it up even when nobody asks."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        import importlib.metadata

        print(f"stripmocap {importlib.metadata.version('stripmocap')}")
        parser.exit()


def _add_capture(verbs: _Verbs) -> None:
    capture = verbs.add_parser("capture", help="capture everybody in a video")
    add_request(capture)
    capture.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the result, an .npz file"
    )
    capture.add_argument(
        "--overlay", type=Path, metavar="FILE", help="also draw the bodies over the footage, .mp4"
    )
    capture.add_argument(
        "--fresh", action="store_true", help="compute everything, and keep nothing for next time"
    )


def _add_people(verbs: _Verbs) -> None:
    people = verbs.add_parser("people", help="list who is in a video, without making bodies")
    add_clip(people)
    add_corrections(people)
    people.add_argument("-o", "--output", type=Path, metavar="FILE", help="the result, .npz")
    people.add_argument("--pictures", type=Path, metavar="DIR", help="also draw everybody, .png")
    people.add_argument("--fresh", action="store_true", help="keep nothing for next time")


def _add_cache(verbs: _Verbs) -> None:
    cache = verbs.add_parser("cache", help="show or clear what is kept of earlier captures")
    cache.add_argument("--clear", action="store_true", help="give up all of it")
    cache.add_argument("--data", type=Path, metavar="DIR", help="the service's data folder")


def _add_convert_body(verbs: _Verbs) -> None:
    convert = verbs.add_parser("convert-body", help="make a body file of your own SMPL file")
    convert.add_argument("file", type=Path, metavar="FILE", help="official, .pkl or .npz")
    convert.add_argument(
        *("-o", "--output"),
        type=Path,
        metavar="FILE",
        help="the body file, .npz (default: where Blender looks, in the data folder)",
    )
    convert.add_argument("--gender", choices=GENDERS, help="default: by the file's name")
    convert.add_argument(
        "--extra", type=Path, metavar="FILE", help="J_regressor_extra.npy (default: beside FILE)"
    )


def _add_overlay(verbs: _Verbs) -> None:
    overlay = verbs.add_parser("overlay", help="draw captured bodies over the footage")
    overlay.add_argument("video", type=Path, metavar="VIDEO")
    overlay.add_argument("result", type=Path, metavar="RESULT", help="a capture, .npz")
    overlay.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the movie to write, .mp4"
    )
    overlay.add_argument("--take", choices=TAKE_LABELS, help="which take (default: the last)")
    overlay.add_argument(
        "--picture", type=Path, metavar="FILE", help="write one picture, .png or .jpg"
    )
    overlay.add_argument(
        "--at", type=float, metavar="S", help="the picture's time (default: the middle)"
    )


def _add_export(verbs: _Verbs) -> None:
    export = verbs.add_parser("export", help="write a capture for other programs")
    export.add_argument("result", type=Path, metavar="RESULT", help="a capture, .npz")
    export.add_argument(
        *("-o", "--output"),
        type=Path,
        required=True,
        metavar="PATH",
        help="a folder, for a file a person; or an .npz file, for one person",
    )
    export.add_argument("--format", choices=("amass",), default="amass")
    export.add_argument("--take", choices=TAKE_LABELS, help="which take (default: the last)")
    export.add_argument("--person", type=int, help="only this person")
    export.add_argument("--fps", type=float, help="frames a second (default: the footage's)")


def _add_evaluate(verbs: _Verbs) -> None:
    evaluate = verbs.add_parser(
        "evaluate",
        help="score captures against ground truth",
        description="VIDEO may be a folder: of clips that have truths beside them, of a dataset in "
        "3DPW's layout, or of motion capture (index.json).",
    )
    add_request(evaluate)
    evaluate.add_argument(
        "--truth", type=Path, metavar="FILE", help="an .npz file; folders have their own"
    )
    evaluate.add_argument("--camera", help="name in the truth file; may be left out if it has one")
    evaluate.add_argument("--person", help="name in the truth file; may be left out if it has one")
    evaluate.add_argument("--result", type=Path, metavar="FILE", help="score this capture, .npz")
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="also write the scores as JSON")
    evaluate.add_argument(
        "--also", nargs="+", choices=ways(), default=[], metavar="METHOD", help="score these too"
    )
    evaluate.add_argument(
        "--report", type=Path, metavar="FILE", help="write tables, plots and pictures, .html or .md"
    )
    evaluate.add_argument("--at-most", type=_count, metavar="N", help="so many cases of a folder")
    evaluate.add_argument("--split", default="test", help="of 3DPW or motion capture, default test")
    evaluate.add_argument("--seed", type=int, default=0, help="of the cameras that mocap gets")
    evaluate.add_argument(
        "--published",
        nargs="?",
        const="spin",
        choices=("spin", "vibe"),
        help="3DPW as the paper of SPIN does it, on its boxes alone, or that of VIBE",
    )


def _add_benchmark(verbs: _Verbs) -> None:
    benchmark = verbs.add_parser("benchmark", help="measure speed on this machine")
    what = benchmark.add_subparsers(dest="what", required=True, metavar="WHAT")
    smplify = what.add_parser("smplify", help="our solver against the paper's")
    smplify.add_argument(
        "--against",
        choices=("spin", "vibe"),
        default="spin",
        help="whose solver: SPIN's of single pictures, or VIBE's of one person over time",
    )
    capture = what.add_parser("capture", help="all the way from footage to motion")
    capture.add_argument("video", type=Path, metavar="VIDEO")
    capture.add_argument("--method", choices=ways(), default="+".join(USUAL))
    spin = what.add_parser("spin", help="the regressors beside a plain ResNet-50 and the fit")
    spin.add_argument("--batch", type=_count, default=16, help="crops looked at at once")
    spin.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    vibe = what.add_parser("vibe", help="the networks over time beside the published way")
    vibe.add_argument("--people", type=_count, default=1)
    vibe.add_argument("--frames", type=_count, default=450, help="of each, looked at at once")
    vibe.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    add_humor_benchmark(what, count=_count)
    for each in (smplify, capture):
        each.add_argument("--batch", type=_count, default=64, help="people fitted at once")
    for each in (smplify, capture, spin, vibe):
        each.add_argument("--repeats", type=_count, default=2)
        each.add_argument("--threads", type=_count, default=2)
        each.add_argument("--json", type=Path, metavar="FILE", help="also write it as JSON")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def _add_experiment(verbs: _Verbs) -> None:
    experiment = verbs.add_parser("experiment", help="try on this machine what the service bears")
    what = experiment.add_subparsers(dest="what", required=True, metavar="WHAT")
    faults = what.add_parser("faults", help="kill, fill, damage and attack it; count violations")
    faults.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these faults")
    faults.add_argument("--kills", type=_count, default=110, metavar="N", help="default 110")
    faults.add_argument("--seed", type=int, default=0)
    faults.add_argument(
        "--video", type=Path, metavar="FILE", help="kill the real pipeline on it, not a toy"
    )
    faults.add_argument("--json", type=Path, metavar="FILE", help="also write it as JSON")
    faults.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table, .md")
    keypoints = what.add_parser("keypoints", help="measure the detector's errors on made pictures")
    keypoints.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    keypoints.add_argument("--scenes", type=_count, default=180, metavar="N", help="default 180")
    keypoints.add_argument("--seed", type=int, default=11)
    keypoints.add_argument("--markdown", type=Path, metavar="FILE", help="also write it, .md")
    keypoints.add_argument("--plots", type=Path, metavar="FILE", help="also draw it, .png")
    _add_spin_experiment(what)
    add_vibe_experiment(what, count=_count)
    add_humor_experiment(what, count=_count)


def _add_spin_experiment(what: _Verbs) -> None:
    spin = what.add_parser("spin", help="fits in the loop against other ways to teach a regressor")
    spin.add_argument("--data", type=Path, required=True, metavar="DIR", help="clips, .npz")
    spin.add_argument(
        "--weights", type=Path, required=True, metavar="FILE", help="regressor to start fits from"
    )
    spin.add_argument(
        "--folder",
        type=Path,
        required=True,
        metavar="DIR",
        help="for what is trained; the same command goes on from there",
    )
    spin.add_argument("--people", type=_count, default=4000, metavar="N", help="default 4000")
    spin.add_argument(
        "--rotations", type=float, default=1.0, metavar="X", help="weight in the loss, default 1"
    )
    spin.add_argument("--seed", type=int, default=0)
    spin.add_argument("--markdown", type=Path, metavar="FILE", help="also write the tables, .md")
    spin.add_argument("--plots", type=Path, metavar="DIR", help="also draw them, .png")
