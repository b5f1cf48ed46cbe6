"""The one door to the contract: the records and files that the add-on shares with the backend.

No other line in the add-on spells the backend's path, and the backend never imports the add-on.
"""

from ..backend.stripmocap.contract import (
    body_file,
    errors,
    messages,
    methods,
    motion,
    quaternions,
    result_file,
    skeleton,
)

__all__ = [
    "body_file",
    "errors",
    "messages",
    "methods",
    "motion",
    "quaternions",
    "result_file",
    "skeleton",
]
