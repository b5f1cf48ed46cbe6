"""The story of jobs over HTTP: made, seen, moved, cancelled, retried, fetched, deleted."""

from __future__ import annotations

import pytest
from server.callers import Service, job_body


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.store.close()


def test_a_new_job_is_queued_and_the_workers_are_woken(service):
    answer = service.client().post("/v1/jobs", json=job_body(key="mine", priority=3))

    assert answer.status_code == 201
    status = answer.json()
    assert (status["state"], status["place"], status["priority"]) == ("queued", 0, 3)
    assert status["name"] == "walk.mp4"
    assert service.supervisor.woken == 1
