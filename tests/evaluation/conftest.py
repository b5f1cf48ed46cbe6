"""What the tests of evaluation share: a small body in place of the shipped one."""

import pytest
from stripmocap.contract import body_file
from toybody import toy_body


@pytest.fixture
def small_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_file, "load", lambda path, gender="neutral": toy_body())
