"""The settings of the real program: where they come from, what is said of them, what stays secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Dict, Iterator, Mapping

import pytest
from hito_server import HitoServer, binary

def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command with no HITO_ variables but these."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("HITO_")}
    return subprocess.run(
        [binary(), *arguments], capture_output=True, text=True, timeout=60, check=False,
        env={**own, **environment},
    )  # fmt: skip


def config(*arguments: str, **environment: str) -> Dict[str, Dict[str, str]]:
    done = run("config", "--json", *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_setting_is_shown_with_its_default(tmp_path):
    shown = config("--data-dir", str(tmp_path))
    table = run("config", "--markdown").stdout
    variables = re.findall(r"^\|.*\| `(HITO_\w+)` \|", table, re.MULTILINE)
    assert [f"HITO_{name.upper().replace('-', '_')}" for name in shown] == variables
    for name in ("model-url", "model-key", "embedding-dimensions", "lake-dir", "postgres", "grace"):
        assert shown[name]["source"] == "default"
    assert shown["data-dir"] == {"value": str(tmp_path), "source": "flag --data-dir"}
    assert shown["lake-dir"]["value"] == f"{tmp_path}/lake"


def test_all_four_sources_in_their_order(tmp_path):
    (tmp_path / "hito.toml").write_text('grace = 3\nthreads = 5\nlog-level = "debug"\n')
    shown = config("--data-dir", str(tmp_path), "--grace", "1", HITO_GRACE="2", HITO_THREADS="4")
    assert shown["grace"] == {"value": "1", "source": "flag --grace"}
    assert shown["threads"] == {"value": "4", "source": "environment HITO_THREADS"}
    assert shown["log-level"] == {"value": "debug", "source": str(tmp_path / "hito.toml")}
    assert shown["log-format"] == {"value": "text", "source": "default"}


def test_every_setting_can_be_given_by_the_environment_and_by_a_file(tmp_path):
    """All of them at once; what `hito config` shows is what it was given, but for secrets."""
    values = {
        "listen": "127.0.0.1:0", "port-file": "/p", "tls-cert": "/c", "tls-key": "/k",
        "tls-client-ca": "/a", "host-name": "a.example", "threads": "2", "grace": "4",
        "database-connections": "8", "reading-group": "0", "log-level": "error", "log-format": "json",
        "database-url": "postgresql://u:secreto@h/d", "postgres": "/pg", "lake-dir": "/lake",
        "model-url": "https://m.example/v1", "model": "m", "model-key": "secreto",
        "model-calls-per-minute": "7", "model-tokens-per-day": "8", "model-cost-per-day": "0.5",
        "model-prompt-price": "1", "model-reply-price": "2", "embedder": "/e",
        "embedding-url": "https://e.example/v1", "embedding-model": "e",
        "embedding-dimensions": "8", "embedding-key": "secreto",
        "embedding-send-dimensions": "yes", "embedding-min-similarity": "0.3",
        "address": "h:1", "ca": "system", "token": "secreto",
    }  # fmt: skip
    variables = {f"HITO_{name.upper().replace('-', '_')}": text for name, text in values.items()}
    from_environment = config("--data-dir", str(tmp_path), **variables)
    file = tmp_path / "hito.toml"
    file.write_text("".join(f'{name} = "{text}"\n' for name, text in values.items()))
    file.chmod(0o600)
    from_file = config("--data-dir", str(tmp_path))
    for name, text in values.items():
        expected = "(set)" if "secreto" in text else text
        assert from_environment[name]["value"] == from_file[name]["value"] == expected
        assert from_environment[name]["source"].startswith("environment HITO_")
        assert from_file[name]["source"] == str(file)
    assert "secreto" not in json.dumps([from_environment, from_file])


def test_a_secret_in_a_file_that_others_can_read_is_refused(tmp_path):
    file = tmp_path / "hito.toml"
    file.write_text('token = "secreto"\n')
    file.chmod(0o644)
    done = run("config", "--data-dir", str(tmp_path))
    assert done.returncode == 64 and f"chmod 600 {file}" in done.stderr
    assert "secreto" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"HITO_MODEL": "m"}, "model-url"),
        ({"HITO_MODEL_URL": "u"}, "HITO_MODEL"),
        ({"HITO_EMBEDDING_URL": "u", "HITO_EMBEDDING_MODEL": "m"}, "embedding-dimensions"),
        ({"HITO_TLS_KEY": "k"}, "tls-cert"),
    ],
)
def test_a_setting_that_is_half_given_ends_the_start(
    tmp_path, environment: Mapping[str, str], missing: str
):
    done = run("serve", "--data-dir", str(tmp_path / "data"), **environment)
    assert done.returncode == 64 and missing in done.stderr
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "data").exists(), "nothing was started"


def test_what_means_nothing_is_said(tmp_path):
    done = run("config", "--data-dir", str(tmp_path), HITO_LISTN="x", HITO_SERVICE_HOST="10.0.0.1")
    assert done.returncode == 0
    assert "HITO_LISTN" in done.stderr and "did you mean HITO_LISTEN?" in done.stderr
    assert "HITO_SERVICE_HOST" in done.stderr
    (tmp_path / "hito.toml").write_text("# ours\ntreads = 1\n")
    done = run("config", "--data-dir", str(tmp_path))
    assert done.returncode == 64
    assert "line 2: there is no setting treads; did you mean threads?" in done.stderr


def test_the_help_of_serve_has_a_flag_for_every_setting_but_keys():
    done = run("serve", "--help")
    assert done.returncode == 0
    for name in ("--listen <host:port>", "--lake-dir <dir>", "--model-cost-per-day", "--config"):
        assert name in done.stdout
    assert "Default: 127.0.0.1:7443." in " ".join(done.stdout.split())
    assert "-key <key>" not in done.stdout


@pytest.fixture(name="data")
def _data() -> Iterator[HitoServer]:
    server = HitoServer()
    yield server
    server.remove()


def test_a_server_takes_the_file_of_its_data_directory_and_logs_what_it_was_given(data: HitoServer):
    data.data.mkdir()
    (data.data / "hito.toml").write_text('log-format = "json"\ngrace = 1\n')
    data.start()
    assert data.stop() == 0
    first = [json.loads(line) for line in data.log.read_text().splitlines()[:12]]
    given = {line["name"]: line["source"] for line in first if line["message"] == "setting"}
    assert given["grace"] == str(data.data / "hito.toml") and given["listen"] == "flag --listen"
