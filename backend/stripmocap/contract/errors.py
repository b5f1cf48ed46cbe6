"""The errors that a person may meet, each with a stable code and a hint that says what to do.

Whatever is not one of these is a bug: it is logged with its traceback. `code` crosses the wire and
is never renamed; `from_code` builds the same class again on the other side.
"""

from __future__ import annotations


class StripMocapError(Exception):
    """What went wrong, with the value that shows it, and what the person can do about it."""

    code = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RequestError(StripMocapError):
    """A request asks for something that cannot be: a wrong option, span or name."""

    code = "request"


class VideoError(StripMocapError):
    """A video is missing, unreadable, empty, or has no pictures in the span asked for."""

    code = "video"


class NobodyFound(StripMocapError):
    """No person was followed for long enough to be captured."""

    code = "nobody_found"


class AssetMissing(StripMocapError):
    """A model file is not on this machine and could not be fetched."""

    code = "asset_missing"


class AssetCorrupt(StripMocapError):
    """A model file is there and is not what it should be."""

    code = "asset_corrupt"


class BodyFileError(StripMocapError):
    """A body file cannot be read as a body."""

    code = "body_file"


class ResultFileError(StripMocapError):
    """A result file cannot be read, or cannot be written where it was asked for."""

    code = "result_file"


class TruthFileError(StripMocapError):
    """A ground-truth file cannot be read, or lacks the camera or person asked for."""

    code = "truth_file"


class BackendUnavailable(StripMocapError):
    """The backend does not answer."""

    code = "backend_unavailable"


class BackendMismatch(StripMocapError):
    """The backend and the add-on do not speak the same version of the contract."""

    code = "backend_mismatch"


class DeviceOutOfMemory(StripMocapError):
    """The accelerator has too little memory for this job."""

    code = "device_out_of_memory"


class ServiceError(StripMocapError):
    """The service could not do what was asked, for a reason of its own."""

    code = "service"


class NotAllowed(StripMocapError):
    """The token is missing or wrong, or the caller may not do this."""

    code = "not_allowed"


class NotThere(StripMocapError):
    """There is no such job, upload or file, or it belongs to somebody else."""

    code = "not_there"


class WrongState(StripMocapError):
    """What was asked cannot be done to this job or upload now."""

    code = "wrong_state"


class TooLarge(StripMocapError):
    """More was sent than the service takes."""

    code = "too_large"


class DiskFull(StripMocapError):
    """There is no space left, or the disk refuses to write."""

    code = "disk_full"


class QueueUnavailable(StripMocapError):
    """The job list is locked by another program or cannot be read now."""

    code = "queue_unavailable"


class WorkerDied(StripMocapError):
    """The process that worked on a job ended or stopped answering."""

    code = "worker_died"


class TrainingFailed(StripMocapError):
    """A training came to no result: its losses are no numbers any more."""

    code = "training_failed"


class Cancelled(StripMocapError):
    """The person asked for the work to stop."""

    code = "cancelled"


def from_code(code: str, message: str, *, hint: str = "") -> StripMocapError:
    """The error of the class that `code` names; `StripMocapError` itself for an unknown code."""
    classes = {each.code: each for each in StripMocapError.__subclasses__()}
    return classes.get(code, StripMocapError)(message, hint=hint)
