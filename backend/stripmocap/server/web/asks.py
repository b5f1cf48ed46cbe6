"""What clients may send: strict records that refuse what they do not know, with their bounds.

They only guard the door. What a request means, and whether it makes sense, `CaptureRequest` says;
a test holds the fields here equal to its own. JSON's numbers are finite here: an open end is null.
"""

from __future__ import annotations

import sys
from dataclasses import Field as Option
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from ...contract.body_file import GENDERS
from ...contract.camera_path import MOST_POSES
from ...contract.corrections import KINDS
from ...contract.jobs import PRIORITY_RANGE
from ...contract.messages import MOST_CORRECTIONS, CaptureRequest
from ...contract.methods import HEIGHT_RANGE_M, METHODS, POSE_PRIORS, WEIGHTS

MAX_PATH = 4096  # characters
MAX_NAME = 255
MAX_SECONDS = 1e7  # about four months of footage
MAX_FOCAL_PX = 1e7
MAX_FILE_BYTES = 2**50
MAX_NUMBER = 2**53  # that JavaScript still counts right
HASH = r"^[0-9a-f]{64}$"
JOB_ID = r"^[0-9a-f]{32}$"
EPOCH = r"^[0-9A-Za-z_.-]{1,64}$"


def _whole(number: Any) -> Any:
    """JSON has one kind of number: 4.0 is as whole as 4."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


# Bounds stand before what is done to a number, or they are lost in the description.
Priority = Annotated[
    int, Field(ge=PRIORITY_RANGE[0], le=PRIORITY_RANGE[1]), BeforeValidator(_whole)
]
Size = Annotated[int, Field(ge=1, le=MAX_FILE_BYTES), BeforeValidator(_whole)]
Printable = r"^[^\x00-\x1f\x7f]+$"
# What a clip's path looks like here. Only described: the route says better what is wrong.
_ROOT = r"([A-Za-z]:[/\\]|\\\\)" if sys.platform == "win32" else "/"
WHOLE = rf"^(upload:[0-9a-f]{{64}}|{_ROOT}[^\x00-\x1f\x7f]*)$"


class Ask(BaseModel):
    """Of every record here: nothing is guessed, nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def _shown(example: dict[str, Any]) -> ConfigDict:
    """What a record adds to its description."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class ClipAsk(Ask):
    """Which pictures."""

    path: str = Field(
        min_length=1,
        max_length=MAX_PATH,
        pattern=Printable,
        json_schema_extra={"pattern": WHOLE},
        description="A whole path on the service's own disk, or `upload:` and the SHA-256 of a "
        "file that was sent before. A service for other machines takes only the latter.",
        examples=["/clips/walk.mp4", "upload:" + "0123456789abcdef" * 4],
    )
    start_s: float = Field(default=0.0, ge=0, le=MAX_SECONDS, description="Inclusive.")
    stop_s: float | None = Field(
        default=None, ge=0, le=MAX_SECONDS, description="Exclusive; null: to the end."
    )


def _entry(option: Option[Any]) -> tuple[Any, Any]:
    """The type of an option and what is said of it."""
    if "choices" in option.metadata:
        return Literal[*option.metadata["choices"]], Field(default=option.default)
    bounds = option.metadata
    return float, Field(default=option.default, ge=bounds["min"], le=bounds["max"])


def _options(kind: type) -> type[Ask]:
    """The record of a method's options, from the bounds that the contract gives them."""
    entries: dict[str, Any] = {
        each.name: _entry(each) for each in kind.__dataclass_fields__.values()
    }
    return create_model(f"{kind.__name__}Ask", __base__=Ask, __doc__=kind.__doc__, **entries)


OPTIONS = {key: _options(each.options) for key, each in METHODS.items()}
_Options = Union[*OPTIONS.values()]  # type: ignore[valid-type]
ESTIMATORS = tuple(key for key, each in METHODS.items() if "estimator" in each.roles)
REFINERS = tuple(key for key, each in METHODS.items() if "refiner" in each.roles)


class MarkAsk(Ask):
    """Whoever is seen at a place of the picture at a time."""

    time_s: float = Field(ge=0, le=MAX_SECONDS, description="Of the file's own clock.")
    # Somebody's middle may be out of the picture.
    x: float = Field(ge=-10, le=10, description="Of the picture's width, from its left edge.")
    y: float = Field(ge=-10, le=10, description="Of the picture's height, from its top edge.")


class CorrectionAsk(Ask):
    """One thing that is put right about who is who."""

    kind: Literal[*KINDS]  # type: ignore[valid-type]
    who: MarkAsk
    other: MarkAsk | None = Field(default=None, description="For merge and swap.")
    time_s: float | None = Field(
        default=None, ge=0, le=MAX_SECONDS, description="From when on, for split and swap."
    )


def _row(length: int, meaning: str) -> Any:
    """Items of a table's rows."""
    return Annotated[list[float], Field(min_length=length, max_length=length, description=meaning)]


class CameraPathAsk(Ask):
    """Poses of a camera that was solved elsewhere, in a world with z up and the floor at 0."""

    times_s: list[float] = Field(
        min_length=1,
        max_length=MOST_POSES,
        description="Of the file's own clock, rising; in between, poses are interpolated.",
    )
    positions: list[_row(3, "Metres.")] = Field(  # type: ignore[valid-type]
        max_length=MOST_POSES, description="Where the camera was."
    )
    quats: list[_row(4, "w, x, y, z.")] = Field(  # type: ignore[valid-type]
        max_length=MOST_POSES,
        description="What turns the camera's axes (x right, y down, z forward) into the world's.",
    )


class RequestAsk(Ask):
    """Everything that a result depends on."""

    clip: ClipAsk
    estimator: Literal[*ESTIMATORS] | None = Field(  # type: ignore[valid-type]
        default="smplify", description="Null: people are only looked for."
    )
    options: _Options | None = Field(default=None, description="Of the estimator.")
    weights: Literal[*WEIGHTS] = Field(  # type: ignore[valid-type]
        default="embedded", description="Official ones are files that the service's owner brings."
    )
    refiners: list[Literal[*REFINERS]] = Field(  # type: ignore[valid-type]
        default_factory=list,
        max_length=len(REFINERS),
        description="In order: each starts from what the one before it made.",
    )
    refiner_options: list[_Options | None] = Field(
        default_factory=list,
        max_length=len(REFINERS),
        description="Of the refiners, in the same order; null or missing at the end: as usual.",
    )
    body: Literal[*GENDERS] = "neutral"  # type: ignore[valid-type]
    height_m: float | None = Field(
        default=None, ge=HEIGHT_RANGE_M[0], le=HEIGHT_RANGE_M[1], description="Of the actor."
    )
    focal_px: float | None = Field(
        default=None,
        gt=0,
        le=MAX_FOCAL_PX,
        description="Of the full picture; null: taken from its diagonal.",
    )
    pose_prior: Literal[*POSE_PRIORS] = "embedded"  # type: ignore[valid-type]
    corrections: list[CorrectionAsk] = Field(
        default_factory=list, max_length=MOST_CORRECTIONS, description="Of who is who, in order."
    )
    camera_path: CameraPathAsk | None = Field(
        default=None, description="Where a moving camera was; null: it stood still."
    )

    def meant(self) -> CaptureRequest:
        """The request itself.

        Raises:
            RequestError: it asks for something that cannot be.
        """
        # What is not said keeps the contract's defaults: those of options are each method's own.
        said = self.model_dump(exclude_unset=True)
        said = {k: v for k, v in said.items() if v is not None or k == "estimator"}
        said["corrections"] = [
            {k: v for k, v in each.items() if v is not None} for each in said.get("corrections", ())
        ]
        return CaptureRequest.from_json(said)


class SubmitAsk(Ask):
    """A job."""

    model_config = _shown(
        {
            "request": {"clip": {"path": "/clips/walk.mp4", "start_s": 1.5, "stop_s": 4.0}},
            "key": "walk, second take",
            "priority": 1,
        }
    )

    request: RequestAsk
    key: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        pattern=Printable,
        description="The client's own name for the job: asking twice under one key makes one job.",
    )
    priority: Priority = 0


class MoveAsk(Ask):
    """Where in the queue a job shall be; null leaves it as it is."""

    model_config = _shown({"to": "first"})

    priority: Priority | None = Field(default=None, description="Higher goes first.")
    to: Literal["first", "last"] | None = Field(
        default=None, description="Among the client's own jobs; those of others keep their places."
    )


def _readable(name: Any) -> Any:
    """File names of some systems hold what is no Unicode."""
    return name.encode("utf-8", "replace").decode("utf-8") if isinstance(name, str) else name


class UploadAsk(Ask):
    """A file to be sent."""

    model_config = _shown({"sha256": "0123456789abcdef" * 4, "size": 1_048_576, "name": "walk.mp4"})

    sha256: str = Field(pattern=HASH, examples=["0123456789abcdef" * 4])
    size: Size = Field(description="Bytes.")
    name: Annotated[str | None, BeforeValidator(_readable)] = Field(
        default=None, min_length=1, max_length=MAX_NAME, description="For display only."
    )


class LifeAsk(Ask):
    """What happens when the client that started the service goes."""

    finish_jobs: bool = Field(description="The service goes on until the queue is empty.")
