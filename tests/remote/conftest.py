import queue
import time

import pytest
from stripmocap_extension.addon.remote import errands, host
from stripmocap_extension.addon.remote.watcher import Watcher
from toyjobs import DEADLINE_S, FakeService


class Watched:
    """A watcher with a fake service, and what it told."""

    def __init__(self, folder, **options):
        self.service = FakeService(**options)
        self.links = []
        self.watcher = Watcher(folder, linker=self._link)
        self.backend = host.ThisComputer(data=folder, checkout=folder)
        self.told = []
        self.watcher.start()

    def _link(self, backend, *, start, stopping):
        self.links.append(start)
        self.service.health()
        return host.Link(self.service)

    def connect(self, **options):
        self.watcher.ask(errands.Connect(self.backend, **options))

    def until(self, kind, wanted=lambda news: True):
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                news = self.watcher.news.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind.__name__} among {self.told}") from None
            self.told.append(news)
            if isinstance(news, kind) and wanted(news):
                return news


@pytest.fixture
def watched(tmp_path):
    made = []

    def make(**options):
        made.append(Watched(tmp_path, **options))
        return made[-1]

    yield make
    for each in made:
        each.service.going_on.set()
        each.watcher.stop()
        assert not each.watcher.running
