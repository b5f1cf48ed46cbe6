from __future__ import annotations

from server.service import Service


def test_no_client_is_told_of_more_than_a_killed_service_would_remember(tmp_path):
    with Service(tmp_path) as service:
        job = service.until_works(service.add("wait"))
        told = []

        def follow() -> bool:
            told.append(service.supervisor.progress(job.id).share)
            assert told[-1] <= service.store.get(job.id).share
            return told[-1] > 0.05

        service.until(follow)


def test_what_was_told_rises_up_to_the_end(tmp_path):
    with Service(tmp_path) as service:
        job = service.add("wait")
        shares = []

        def follow() -> bool:
            told = service.supervisor.progress(job.id)
            if told is not None:
                shares.append(told.share)
                if told.share > 0:
                    service.go()
            return service.store.get(job.id).ended

        service.until(follow)

        assert shares == sorted(shares)
        assert shares[-1] > 0
        assert service.store.get(job.id).share == 1
