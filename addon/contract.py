"""The one door to the contract: the records and files that the add-on shares with the backend.

No other line in the add-on spells the backend's path, and the backend never imports the add-on.
"""

from ..backend.stripmocap.contract import (
    amass,
    bodies,
    body_file,
    camera_path,
    casting,
    corrections,
    errors,
    handover,
    jobs,
    marking,
    messages,
    methods,
    motion,
    npz_file,
    places,
    private_file,
    quaternions,
    result_file,
    sequences,
    service,
    skeleton,
    tracks,
)

__all__ = [
    "amass",
    "bodies",
    "body_file",
    "camera_path",
    "casting",
    "corrections",
    "errors",
    "handover",
    "jobs",
    "marking",
    "messages",
    "methods",
    "motion",
    "npz_file",
    "places",
    "private_file",
    "quaternions",
    "result_file",
    "sequences",
    "service",
    "skeleton",
    "tracks",
]
