"""A pipeline.yaml that lies in the current folder by chance, with documents of a stranger, gets nothing of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.errors import SettingsError
from pipeline.settings import load_settings
from tests.cli.conftest import Pipeline
from tests.drawing import text_pdf
from tests.engines.scripted import ScriptedServer, behave_well

SECRET = "a secret of the user"


def write_settings(folder: Path, **values: object) -> None:
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def put_document(folder: Path) -> None:
    (folder / "inbox").mkdir(parents=True, exist_ok=True)
    (folder / "inbox" / "offer.pdf").write_bytes(text_pdf(["An offer"]))


@pytest.mark.parametrize("variable", ["MY_DATABASE_PASSWORD", "HF_TOKEN", "PIPELINE_SERVE_TOKEN", "PIPELINE_LIMITS__PASSWORDS"])
def test_a_found_file_sends_no_variable_of_the_user(
    pipeline: Pipeline, folder: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_document(folder)
    value = f'["{SECRET}"]' if variable == "PIPELINE_LIMITS__PASSWORDS" else SECRET
    monkeypatch.setenv(variable, value)
    arguments = ("run", "--quiet", "--template", "transcript")
    with ScriptedServer(behave_well) as server:
        write_settings(folder, engine="server", server={"url": server.url, "key_variable": variable})
        refused = pipeline(*arguments)
        assert server.calls == []
        assert (refused.code, variable in refused.err, "--config pipeline.yaml" in refused.err) == (2, True, True)
        assert SECRET not in refused.err
        assert not (folder / "outbox").exists()
        named = pipeline(*arguments, "--config", "pipeline.yaml")
    assert named.code in (0, 1)
    assert {call.headers.get("Authorization") for call in server.calls} == {f"Bearer {value}"}


def test_a_found_file_may_name_a_variable_that_is_made_for_keys(
    pipeline: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_document(folder)
    monkeypatch.setenv("PIPELINE_OTHER_KEY", "key")
    with ScriptedServer(behave_well) as server:
        write_settings(folder, engine="server", server={"url": server.url, "key_variable": "PIPELINE_OTHER_KEY"})
        assert pipeline("run", "--quiet", "--template", "transcript").code in (0, 1)
    assert {call.headers.get("Authorization") for call in server.calls} == {"Bearer key"}


REFUSED: dict[str, dict[str, object]] = {
    "webhooks.url": {"webhooks": {"url": "https://elsewhere.example/"}},
    "webhooks.hosts": {"webhooks": {"hosts": ["elsewhere.example"]}},
    "webhooks.private_addresses": {"webhooks": {"private_addresses": True}},
    "webhooks.key_variable": {"webhooks": {"key_variable": "HF_TOKEN"}},
    "serve.proxies": {"serve": {"proxies": ["127.0.0.1"]}},
    "serve.certificate": {"serve": {"certificate": "mine.pem"}},
    "outbox": {"outbox": "../elsewhere"},
    "outbox through a link": {"outbox": "link/results"},
    "outbox as a URL": {"outbox": "s3://of-a-stranger/results"},
    "inbox as a URL": {"inbox": "s3://of-the-user/private"},
    "inbox that is emptied": {"inbox": "/home", "after": "delete"},
    "archive": {"after": "move", "archive": "/tmp/archive"},
    "failed": {"after": "move", "failed": "~/failed"},
    "state": {"state": "/tmp/state"},
    "templates": {"templates": "/etc"},
    "languages": {"languages": "/etc"},
    "log.file": {"log": {"file": "../.profile"}},
    "ray.address": {"executor": "ray", "ray": {"address": "198.51.100.1:6379"}},
    "metrics.host": {"metrics": {"port": 9105, "host": "0.0.0.0"}},
    "metrics.host as a name": {"metrics": {"port": 9105, "host": "pipeline.example"}},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_found_file_does_not_reach_out_of_its_folder(folder: Path, name: str) -> None:
    (folder / "link").symlink_to(folder.parent, target_is_directory=True)
    write_settings(folder, **REFUSED[name])
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert name.split()[0] in caught.value.message
    assert "--config pipeline.yaml" in caught.value.cure
    load_settings(folder / "pipeline.yaml")


def test_every_mistake_is_named_at_once(pipeline: Pipeline, folder: Path) -> None:
    write_settings(folder, outbox="../elsewhere", log={"file": "/var/log/x"}, ray={"address": "host:1"})
    refused = pipeline("status")
    assert refused.code == 2
    assert all(key in refused.err for key in ("outbox", "log.file", "ray.address"))


def test_what_the_user_says_goes_before_a_found_file(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_settings(folder, outbox="/elsewhere", ray={"address": "host:1"}, metrics={"host": "0.0.0.0"})
    monkeypatch.setenv("PIPELINE_METRICS__HOST", "0.0.0.0")
    settings = load_settings(outbox=tmp_path / "mine", ray={"address": "other:1"})
    assert (settings.outbox, settings.ray.address, settings.metrics.host) == (tmp_path / "mine", "other:1", "0.0.0.0")


def test_a_found_file_says_how_documents_are_read(folder: Path) -> None:
    write_settings(
        folder,
        inbox="/srv/scans",
        outbox="results",
        templates="mine",
        engine="embedded",
        routes=[],
        after="keep",
        limits={"pages": 7},
        log={"file": "logs/run.log"},
        metrics={"port": 9105, "host": "::1"},
        ray={"address": "local"},
    )
    settings = load_settings()
    assert (settings.limits.pages, settings.metrics.port, settings.outbox) == (7, 9105, folder / "results")
