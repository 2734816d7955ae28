"""``pipeline serve``: the inbox and its results in a browser."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.signals import stop_on_signals
from pipeline.errors import LockedError, SettingsError
from pipeline.install_hint import install_hint
from pipeline.run.job import all_templates, check_template, mended_ledger, open_ledger
from pipeline.runtime.lock import PROBE_SECONDS, locked
from pipeline.settings import Settings

TOKEN_VARIABLE = "PIPELINE_SERVE_TOKEN"  # noqa: S105 - the name of one
LEAST_TOKEN = 16


@click.command("serve")
@options.folders
@options.template
@options.engine
@options.model
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8420, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 is any that is free.")
@click.option(
    "--name", "names", multiple=True, metavar="HOST[:PORT]", help="Another name that browsers may use for it; may be repeated."
)
def command(
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    template: str | None,
    engine: str | None,
    model: str | None,
    host: str,
    port: int,
    names: tuple[str, ...],
) -> None:
    """Show inbox and results in a browser, until stopped with Ctrl-C: add files, see progress, correct values, ask about pages.

    The address printed at the start holds a token; without it nobody gets in. Files are read by a `pipeline watch` of its own; where
    another run holds the outbox, they are taken and read when that has ended. PIPELINE_SERVE_TOKEN sets the token.
    """
    settings = options.read_settings(config, inbox=inbox, outbox=outbox, engine=engine, model=model)
    if settings.inbox_url or settings.outbox_url:
        raise SettingsError(
            "`pipeline serve` wants an inbox and an outbox that are folders", "docs/stores.md tells of other ways"
        )
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(32)
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
        raise SettingsError(f"{TOKEN_VARIABLE}: not a token", f"at least {LEAST_TOKEN} letters, digits, - and _")
    try:
        from pipeline.web import server
        from pipeline.web.app import make_app, with_access_control
        from pipeline.web.context import ServerContext
        from pipeline.web.image_cache import PageImageCache
        from pipeline.web.supervisor import Supervisor
        from pipeline.web.uploads import clean_up
    except ImportError as error:
        raise SettingsError(f"`pipeline serve` needs packages that are not here: {error}", install_hint("serve")) from error

    settings.inbox.mkdir(parents=True, exist_ok=True)
    templates = all_templates(settings)
    for name in (template or "").split(",") if template else ():
        check_template(name.strip(), templates)
    _make_ledger(settings)
    clean_up(settings.inbox)
    listening = server.listen(host, port)
    port = listening.getsockname()[1]
    if not server.is_loopback(host):
        click.echo(
            f"pipeline: {host} can be reached from other machines, and nothing is encrypted: whoever listens has the token",
            err=True,
        )
    reader = Supervisor(_arguments(config, settings, template), settings.outbox)
    with listening, PageImageCache(settings) as page_images, reader:
        app = with_access_control(
            make_app(ServerContext(settings, templates, page_images, reader)),
            token,
            server.permitted_hosts(host, port, names),
            port,
            settings.limits.megabytes * 1_000_000,
        )
        serving = server.WebServer(app)

        def stop() -> None:
            serving.should_exit = True

        with stop_on_signals(stop, lambda _: None):
            shown = "127.0.0.1" if host in ("127.0.0.1", "0.0.0.0", "::", "localhost") else f"[{host}]" if ":" in host else host  # noqa: S104
            click.echo(f"http://{shown}:{port}/?token={token}\nserving {settings.inbox} and {settings.outbox}; Ctrl-C ends it")
            serving.run(sockets=[listening])
    click.echo("stopped")


def _make_ledger(settings: Settings) -> None:
    """Make, lift or mend the ledger before two processes want it. Raises LedgerError, OutboxError."""
    told: list[str] = []
    with suppress(LockedError), locked(settings.outbox, PROBE_SECONDS):  # else the run at work has it
        mended_ledger(settings, told).close()
    with open_ledger(settings):
        pass
    for line in told:
        click.echo(f"pipeline: {line}", err=True)


def _arguments(config: Path | None, settings: Settings, template: str | None) -> list[str]:
    """Of the `pipeline watch` that reads: the same settings, said outright."""
    told = ["--inbox", str(settings.inbox), "--outbox", str(settings.outbox), "--engine", settings.engine]
    if config:
        told += ["--config", str(config)]
    if settings.model:
        told += ["--model", settings.model]
    return told + (["--template", template] if template else [])
