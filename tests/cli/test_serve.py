from __future__ import annotations

from pathlib import Path

import pytest
from server.running import DEADLINE_S, Running
from stripmocap import cli
from stripmocap.cli import parser, serve
from stripmocap.contract.errors import RequestError
from stripmocap.settings import GIB, Settings


def settings(*flags: str, **environment: str) -> Settings:
    arguments = parser.make().parse_args(["serve", *flags])
    names = {f"STRIPMOCAP_{name}": value for name, value in environment.items()}
    return serve.settings_of(arguments, names)


def test_what_nobody_says_is_as_the_settings_have_it():
    plain = Settings()

    assert vars(settings(DATA=str(plain.data))) == vars(plain)


@pytest.mark.parametrize(
    ("flags", "environment", "name", "value"),
    [
        (["--port", "8000"], {"PORT": "9000"}, "port", 8000),
        ([], {"PORT": "9000"}, "port", 9000),
        (["--device", "cpu", "--device", "cuda:1"], {}, "devices", ("cpu", "cuda:1")),
        ([], {"DEVICES": "cpu, mps"}, "devices", ("cpu", "mps")),
        (["--cache-gb", "0.5"], {"CACHE_GB": "3"}, "cache_bytes", GIB // 2),
        ([], {"CACHE_GB": "3"}, "cache_bytes", 3 * GIB),
        (["--attached"], {}, "attached", True),
        ([], {"FINISH_JOBS": "yes"}, "finish_jobs", True),
        (["--finish-jobs"], {"FINISH_JOBS": "0"}, "finish_jobs", True),
        (["--behind-proxy", "--host-name", "farm.example"], {}, "host_names", ("farm.example",)),
        ([], {"WORKER_BYTES": "1000"}, "worker_bytes", 1000),
        ([], {"PORT": ""}, "port", 0),
    ],
)
def test_a_flag_counts_more_than_the_environment(flags, environment, name, value):
    assert getattr(settings(*flags, **environment), name) == value


def test_the_data_folder_is_the_same_from_wherever_it_is_seen():
    assert settings("--data", "here").data == Path.cwd() / "here"


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        ([], {"PORT": "http"}),
        ([], {"ATTACHED": "perhaps"}),
        (["--port", "70000"], {}),
        (["--cache-gb", "0"], {}),
        (["--cache-gb", "nan"], {}),
        (["--cache-gb", "inf"], {}),
        (["--tls-cert", "a.pem"], {}),
        (["--host", "0.0.0.0"], {}),
    ],
)
def test_what_cannot_be_is_refused(flags, environment):
    with pytest.raises(RequestError):
        settings(*flags, **environment)


@pytest.mark.parametrize("flags", [[], ["--behind-proxy"]], ids=["by a call", "by a signal"])
def test_the_service_that_runs_is_ended(tmp_path, capsys, flags):
    with Running(tmp_path, *flags) as running:
        assert running.handover
        status = cli.main(["serve", "--data", str(tmp_path), "--stop"])

        assert status == cli.DONE
        assert running.process.wait(DEADLINE_S) == 0
    assert "has ended" in capsys.readouterr().out


def test_where_none_runs_that_is_said(tmp_path, capsys):
    status = cli.main(["serve", "--data", str(tmp_path / "nowhere"), "--stop"])

    assert status == cli.REFUSED
    assert "no service runs" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
