"""The real service with toy workers, killed a dozen times; the campaign does it more."""

from __future__ import annotations

import pytest
from stripmocap.experiments import clips, kills
from stripmocap.experiments.served import TOY, Served

KILLS = 12


@pytest.mark.slow
def test_no_kill_loses_doubles_or_halves_a_job(tmp_path):
    footage = tmp_path / "footage"
    footage.mkdir()
    asks = [clips.toy_clips(footage, seed=n, uploads=n == 1) for n in range(2)]

    campaign = kills.run(Served(TOY, tmp_path / "data"), asks=asks, kills=KILLS, seed=7)

    assert campaign.ledger.violations == []
    # At the start of a service it is killed once before it answers, and perhaps once more.
    assert sum(campaign.kills.values()) >= KILLS
    assert campaign.jobs > len(asks)
    assert campaign.ledger.counts["results fetched"] == campaign.jobs


def test_a_service_that_loses_its_jobs_is_found_out(tmp_path, monkeypatch):
    footage = tmp_path / "footage"
    footage.mkdir()
    served = Served(TOY, tmp_path / "data")
    launch = served.launch

    def forgetful():
        for each in (tmp_path / "data").glob("jobs*"):
            each.rename(tmp_path / f"gone-{len(list(tmp_path.iterdir()))}")
        launch()

    monkeypatch.setattr(served, "launch", forgetful)
    monkeypatch.setattr(kills, "STAGES", ("any time",))

    campaign = kills.run(served, asks=[clips.toy_clips(footage, seed=1)], kills=1, seed=4)

    assert campaign.ledger.counts["violation: job lost"] > 0
