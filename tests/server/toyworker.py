"""A worker whose bench does what the name of the footage says: the real worker, without torch.

`DEED.mp4` or `DEED-STAGE.mp4`: the deed is done at the third step of the stage, or of the first.
Run with a habit as first argument, it misbehaves before any job.
"""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import os
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from stripmocap.contract import result_file
from stripmocap.contract.errors import DeviceOutOfMemory, ResultFileError, VideoError
from stripmocap.contract.motion import Camera, Capture, Motion, Take
from stripmocap.server.workers import worker

STAGES = ("people", "fit")
STEPS = 6
NOTE = "Person 0 is left as they were."
GO = "go"  # the file beside the footage that "wait" waits for


class ToyBench:
    """Works in steps of a few milliseconds."""

    name, label = "cpu", "a toy"

    def capture(self, request, *, report, publish, small):
        path = Path(request.clip.path)
        deed, _, where = path.stem.partition("-")
        if deed == "early" and not path.with_name(GO).exists():
            os._exit(3)  # before anything is said of the job
        for stage in STAGES:
            for step in range(STEPS):
                report(stage, step, STEPS)
                if stage == (where or STAGES[0]) and step == 2:
                    again = partial(report, stage, step, STEPS)
                    self._do(deed, path.with_name(GO), again=again, publish=publish, small=small)
            report(stage, STEPS, STEPS)
        notes = (NOTE,) if deed == "note" else ()
        return replace(toy_capture(), provenance=told_of(request), notes=notes)

    def release(self):
        pass

    def memory(self):
        return 1000, 500

    def _do(self, deed, go, *, again, publish, small):
        match deed:
            case "wait":
                while not go.exists():
                    again()
                    time.sleep(0.005)
            case "exit":
                os._exit(3)
            case "segfault":
                faulthandler._sigsegv()
            case "once" if not small:
                os._exit(3)
            case "sleep":
                time.sleep(3600)
            case "freeze":  # in C, with the interpreter's lock: no thread of this process runs
                ctypes.PyDLL(None).sleep(3600)
            case "hog":
                hoard = []
                while True:
                    hoard.append(b"x" * 2**24)
                    time.sleep(0.01)
            case "gpu" if not small:
                raise DeviceOutOfMemory("4 GiB were not there")
            case "bug":
                raise ZeroDivisionError("a bug of ours")
            case "broken":
                raise VideoError("it is no video", hint="Choose another.")
            case "publish":
                publish(toy_capture())
                self._do("wait", go, again=again, publish=publish, small=small)
            case "print":
                os.write(1, b"a library in C\n")
                print("a library in Python")
            case "full":
                result_file.save = partial(save_when_there_is_space, result_file.save, go)
            case "babble":
                for _ in range(30):
                    os.write(2, b"b" * 2**17)


def loading():
    time.sleep(3600)


def unloadable():
    raise RuntimeError("no device here")


def toy_capture() -> Capture:
    """One person who stands still for two frames."""
    motion = Motion(
        person=0,
        times_s=np.array([0.0, 0.1]),
        global_orient=np.zeros((2, 3)),
        body_pose=np.zeros((2, 23, 3)),
        betas=np.zeros(10),
        transl=np.zeros((2, 3)),
        confidence=np.ones(2),
    )
    camera = Camera(focal_px=500.0, center_px=np.array([50.0, 50.0]), size_px=(100, 100))
    return Capture(camera=camera, takes=(Take("fitted", (motion,)),), provenance={})


def told_of(request):
    """Provenance with the entries that name the footage."""
    name = Path(request.clip.path).name
    return {"request": request.to_json(), "source": {"name": name}}


def save_when_there_is_space(save, go, capture, path):
    """What `result_file.save` does on a disk that is full until somebody touches `go`."""
    if go.exists():
        return save(capture, path)
    raise ResultFileError("the disk is full") from OSError(errno.ENOSPC, "no space left")


def main() -> int:
    match sys.argv[1]:
        case "dying":
            print("no torch here", file=sys.stderr)
            return 1
        case "unborn" if not Path(sys.argv[3]).parent.with_name(GO).exists():
            return 1
        case "unloadable":
            return worker.serve(unloadable)
        case "loading":
            return worker.serve(loading)
        case "babbling":
            os.write(1, b"hello\n{}\n\xff\xfe\n" + b"[" * 5000 + b"\n")
    return worker.serve(ToyBench)


if __name__ == "__main__":
    sys.exit(main())
