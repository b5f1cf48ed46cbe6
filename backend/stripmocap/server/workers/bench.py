"""What the worker works with: a device, the networks that stay loaded on it, and kept steps."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from ...contract.messages import CaptureRequest
from ...contract.motion import Capture
from ...pipeline import Workshop
from ...steps import StepStore


class Bench:
    """A device and a `Workshop` on it.

    Args:
        device: as torch names it, or "auto": the first accelerator, else the processor.
        cache: folder of kept steps.
        cache_bytes: limit of that folder.

    Raises:
        RuntimeError: torch cannot use the device.
    """

    def __init__(self, device: str, *, cache: Path, cache_bytes: int) -> None:
        self._device = _chosen(device)
        torch.zeros(1, device=self._device)  # a device that is not there says so now
        self.name = str(self._device)
        self.label = _label(self._device)
        self._workshop = Workshop(self._device)
        self._steps = StepStore(cache, limit_bytes=cache_bytes)

    def capture(
        self,
        request: CaptureRequest,
        *,
        report: Callable[[str, int, int], None],
        publish: Callable[[Capture], None],
        small: bool,
    ) -> Capture:
        """What `request` asks for; see `Workshop.capture`."""
        return self._workshop.capture(
            request, report=report, steps=self._steps, publish=publish, small=small
        )

    def release(self) -> None:
        """Gives back the device's memory; what stays loaded stays."""
        self._workshop.release()

    def memory(self) -> tuple[int | None, int | None]:
        """Total and free memory of the device, bytes; None where the system does not say."""
        match self._device.type:
            case "cuda":
                free, total = torch.cuda.mem_get_info(self._device)
                return total, free
            case "mps":
                total = torch.mps.recommended_max_memory()
                return total, max(total - torch.mps.driver_allocated_memory(), 0)
            case "cpu":
                memory = psutil.virtual_memory()
                return memory.total, memory.available
        return None, None


def _chosen(device: str) -> torch.device:
    if device == "cuda":
        return torch.device("cuda:0")
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda:0")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _label(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    maker = platform.processor() or platform.machine()
    return f"{maker}, {psutil.cpu_count()} processors" if device.type == "cpu" else maker
