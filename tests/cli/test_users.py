"""Inviting people at the command line: nobody locks himself out, and the link leads to the server that runs."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from pipeline.cli.commands import cli
from pipeline.errors import SettingsError
from pipeline.web.running_server import record_address


def invite(outbox: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["users", "invite", *arguments, "--outbox", str(outbox)])


def test_the_first_invitation_is_for_an_administrator(tmp_path: Path) -> None:
    refused = invite(tmp_path, "Berta")
    assert isinstance(refused.exception, SettingsError)
    assert "--role admin" in str(refused.exception.cure)
    listed = CliRunner().invoke(cli, ["users", "list", "--outbox", str(tmp_path)])
    assert listed.stdout.startswith("no accounts"), "nobody has to sign in"
    assert invite(tmp_path, "Ada", "--role", "admin").exit_code == 0
    assert invite(tmp_path, "Berta").exit_code == 0


def test_the_link_leads_to_the_server_that_runs(tmp_path: Path) -> None:
    (tmp_path / ".pipeline").mkdir()
    assert invite(tmp_path, "Ada", "--role", "admin").stdout.startswith("http://127.0.0.1:8420/invitation/")
    record_address(tmp_path, "http://127.0.0.1:8431/")
    assert invite(tmp_path, "Ada", "--role", "admin").stdout.startswith("http://127.0.0.1:8431/invitation/")
    link = invite(tmp_path, "Ada", "--role", "admin", "--address", "https://documents.example").stdout
    assert link.startswith("https://documents.example/invitation/")
