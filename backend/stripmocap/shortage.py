"""Whether an error means that the memory is too small, and how much of it is left."""

from __future__ import annotations

import psutil
import torch

from .contract.errors import StripMocapError

# As PyTorch and OpenCV say it of the processor's memory, and drivers of a device's.
_WORDS = ("can't allocate memory", "not enough memory", "Insufficient memory", "ALLOC_FAILED")


def is_of_memory(error: Exception) -> bool:
    """Whether `error` says that there is too little memory."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        not isinstance(error, StripMocapError) and any(each in str(error) for each in _WORDS)
    )


def memory_left(device: torch.device) -> str:
    """How much memory `device` has left, in words."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return f"{torch.cuda.get_device_name(device)}, {free >> 20} of {total >> 20} MB free"
    memory = psutil.virtual_memory()
    return f"{memory.available >> 20} of {memory.total >> 20} MB free"
