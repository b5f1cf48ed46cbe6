from __future__ import annotations

from pathlib import Path

import pytest
from stripmocap.contract.errors import RequestError
from stripmocap.settings import Settings, data_folder, flag, is_loopback

CERTIFICATE = {"tls_cert": Path("a.pem"), "tls_key": Path("a.key")}


def test_the_service_stays_on_this_machine_by_default():
    settings = Settings()

    assert is_loopback(settings.host)
    assert not settings.remote


def test_a_network_address_needs_tls():
    with pytest.raises(RequestError, match="in the open"):
        Settings(host="0.0.0.0")


@pytest.mark.parametrize("how", [CERTIFICATE, {"behind_proxy": True}], ids=["files", "proxy"])
def test_clients_of_a_network_address_are_remote(how):
    assert Settings(host="0.0.0.0", **how).remote


def test_clients_of_a_proxy_are_remote_even_on_this_machine():
    assert Settings(behind_proxy=True).remote


@pytest.mark.parametrize(
    "wrong",
    [{"tls_cert": Path("a.pem")}, {"port": 65536}, {"port": -1}, {"cache_bytes": 0}],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(RequestError):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("localhost.evil.org", False),
    ],
)
def test_loopback_is_this_machine_alone(host, expected):
    assert is_loopback(host) is expected


def test_the_data_folder_can_be_chosen(tmp_path):
    assert data_folder({"STRIPMOCAP_DATA": str(tmp_path)}) == tmp_path


def test_a_flag_says_yes_or_no():
    assert flag({"A": "Yes"}, "A")
    assert not flag({}, "A")
    with pytest.raises(RequestError, match="perhaps"):
        flag({"A": "perhaps"}, "A")
