"""kill -9 of the service and of its workers at every stage, while clients go on as if nothing were.

The killer waits for the stage that is due, a random moment longer, and kills. What a client is told
is written into a ledger; in the end everything is looked over once more, also after an orderly end.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ..contract import result_file
from ..contract.errors import StripMocapError
from .ledger import Ledger
from .panel import Ask, Panel
from .served import START_S, Served

STAGES = (
    *("queued", "claimed", "people", "fit", "saving", "just done", "upload", "startup", "any time"),
)
REACH_S = 45.0  # that the killer waits for a stage; then it kills at any time
DRAIN_S = 600.0  # within which the last jobs must have ended
RESULT, WORK = "result.npz", "work-"
_LOOK_S = 0.004


@dataclass
class Campaign:
    """What came of it."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)  # who, at which stage
    ledger: Ledger = field(default_factory=Ledger)
    back_s: list[float] = field(default_factory=list)  # until the service answered again
    jobs: int = 0
    seconds: float = 0.0

    def killed(self, who: str) -> int:
        """How often `who` was killed: "service" or "worker"."""
        return sum(count for (name, _), count in self.kills.items() if name == who)


def run(
    served: Served,
    *,
    asks: Sequence[Ask],
    kills: int,
    seed: int,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Campaign:
    """Kills `kills` times while a client for each of `asks` works.

    Args:
        served: a service that has not been started; in the end it does not run.
        asks: what the jobs of each client are.
        kills: of service and worker together.
        seed: of moments and victims.
        report: told how many kills are done.
    """
    campaign, began = Campaign(), time.monotonic()
    killer = _Killer(served, campaign, random.Random(seed))
    served.start()
    panels = [
        Panel(f"client{number}", served=served, ask=ask, ledger=campaign.ledger, seed=seed + number)
        for number, ask in enumerate(asks)
    ]
    killer.panels = panels
    for each in panels:
        each.start()
    for number in range(kills):
        killer.strike(STAGES[number % len(STAGES)])
        report(number + 1, kills)
    for each in panels:
        each.finish()
    until = time.monotonic() + DRAIN_S
    for each in panels:
        each.join(max(0.0, until - time.monotonic()))
        if each.is_alive():
            campaign.ledger.violate("jobs do not end", f"of {each.name}")
    _audit(served, panels, campaign)
    campaign.jobs, campaign.seconds = len(campaign.ledger.entries), time.monotonic() - began
    return campaign


class _Killer:
    def __init__(self, served: Served, campaign: Campaign, chance: random.Random) -> None:
        self.panels: list[Panel] = []
        self._served, self._campaign, self._chance = served, campaign, chance

    def strike(self, stage: str) -> None:
        """One kill, at the stage."""
        if stage == "startup":
            self._kill_service(stage)
            time.sleep(self._chance.uniform(0, 2.5))
        elif stage != "any time":
            stage = stage if self._reached(stage) else f"{stage} not seen"
        slow = stage in {"people", "fit", "upload"}
        time.sleep(self._chance.uniform(0, {"any time": 2.0}.get(stage, 0.3 if slow else 0.02)))
        if self._chance.random() < 0.5 or not self._kill_worker(stage):
            self._kill_service(stage)

    def _reached(self, stage: str) -> bool:
        until = time.monotonic() + REACH_S
        known = self._results()
        while time.monotonic() < until:
            if self._is(stage, known):
                return True
            time.sleep(_LOOK_S)
        return False

    def _is(self, stage: str, known: set[Path]) -> bool:
        match stage:
            case "queued":
                return self._campaign.ledger.now("queued")
            case "people" | "fit":
                return self._campaign.ledger.now("running", stage)
            case "upload":
                return any(each.uploading.is_set() for each in self.panels)
            case "claimed":
                return any(not list(each.iterdir()) for each in self._work())
            case "saving":
                return any(list(each.iterdir()) for each in self._work())
            case "just done":
                return bool(self._results() - known)
        raise AssertionError(stage)

    def _work(self) -> list[Path]:
        """The folders of the attempts that run; any may be gone when it is looked into."""
        return [each for each in self._files(f"{WORK}*") if each.is_dir()]

    def _results(self) -> set[Path]:
        return set(self._files(RESULT))

    def _files(self, pattern: str) -> list[Path]:
        jobs, found = self._served.data / "jobs", []
        for job_id in self._campaign.ledger.unended():
            with contextlib.suppress(OSError):
                found += (jobs / job_id).glob(pattern)
        return found

    def _kill_worker(self, stage: str) -> bool:
        workers = self._served.workers()
        if not workers:
            return False
        victim = self._chance.choice(workers)
        with contextlib.suppress(psutil.Error):
            victim.kill()
        self._campaign.kills["worker", stage] += 1
        return True

    def _kill_service(self, stage: str) -> None:
        """Kills and starts again, as the next client would."""
        alive = self._served.kill()
        self._campaign.kills["service", stage] += 1
        for each in alive:
            self._campaign.ledger.violate("orphan", f"worker {each.pid} outlived the service")
            with contextlib.suppress(psutil.Error):
                each.kill()
        self._served.launch()
        if stage == "startup":
            return
        seconds = self._served.wait()
        if seconds is None:
            said = f"not within {START_S} s, status {self._served.status}"
            self._campaign.ledger.violate("service did not come back", said)
            self._served.end()
            self._served.launch()
        else:
            self._campaign.back_s.append(seconds)


def _audit(served: Served, panels: Sequence[Panel], campaign: Campaign) -> None:
    """Looks over every job, before and after an orderly end of the service."""
    ledger = campaign.ledger
    for round_ in ("before", "after"):
        if served.pid is None:
            served.start()
        for panel in panels:
            service = served.service(panel.client_key)
            assert service is not None
            try:
                there = {each.id: each for each in service.every_job()}
            except StripMocapError as error:
                ledger.violate("list not readable", f"{round_} the end: {error}")
                continue
            keys = Counter(each.key for each in there.values())
            for key, count in keys.items():
                if count > 1:
                    ledger.violate("job twice", f"{count} jobs of {key}")
            for entry in ledger.entries.values():
                if not entry.key.startswith(f"{panel.name}-"):
                    continue
                status = there.get(entry.job_id)
                if status is None:
                    ledger.violate("job lost", f"{entry.key} {round_} the end")
                    continue
                ledger.seen(entry, status, epoch=round_)
                _check_file(served, entry.job_id, ledger)
        if not served.end():
            ledger.violate("does not end", f"{round_} the restart")


def _check_file(served: Served, job_id: str, ledger: Ledger) -> None:
    path = served.data / "jobs" / job_id / RESULT
    try:
        result_file.load(path)
    except StripMocapError as error:
        ledger.violate("half-written file", f"{path.name} of {job_id}: {error}")
