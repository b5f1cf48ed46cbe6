"""The service against its own description: nothing that fits or nearly fits it breaks the service.

schemathesis makes calls of every route, right and wrong ones, alone and in a row, and holds the
answers to the description: no internal error, no status or form that is not described, no wrong
call accepted, no right one refused.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from server.callers import TOKEN, Service, listening

EXAMPLES = 8  # of each route and phase
LIMIT_S = 240
# What no description of a body can say: that a span is not empty, that a file fits.
CONFIG = """
[[operations]]
include-operation-id = "submit_job"
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "422"]

[[operations]]
include-operation-id = "begin_upload"
checks.positive_data_acceptance.expected-statuses = ["2xx", "413", "422", "507"]

[[operations]]
include-operation-id = "put_chunk"
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "422"]
"""


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path / "data")
    yield service
    service.store.close()


def test_the_service_is_as_it_is_described(service, tmp_path):
    pytest.importorskip("schemathesis")
    (tmp_path / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")

    with listening(service) as url:
        found = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml"),
                *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}"),
                *("--max-examples", str(EXAMPLES)),
                "--generation-deterministic",
            ],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )

    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
    assert service.store.listed()[0], "no call got as far as the queue"
