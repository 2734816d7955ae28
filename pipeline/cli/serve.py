"""``pipeline serve``: the inbox and its results in a browser."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import click

from pipeline.cli import options
from pipeline.cli.signals import stop_on_signals
from pipeline.cli.terminal import echo
from pipeline.errors import LockedError, SettingsError
from pipeline.install_hint import install_hint
from pipeline.run.job import all_templates, check_template, open_ledger, open_repaired_ledger
from pipeline.runtime.lock import PROBE_SECONDS, locked
from pipeline.settings import STATE_FOLDER, Settings

TOKEN_VARIABLE = "PIPELINE_SERVE_TOKEN"  # noqa: S105 - this is the name of a variable
MIN_TOKEN_LENGTH = 16


@click.command("serve")
@options.folders
@options.template
@options.engine
@options.model
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8420, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 is any free port.")
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Another host name under which browsers may open it; may be repeated.",
)
@click.option(
    "--browser/--no-browser", default=True, help="Open the address in a browser, when started at a terminal with a display."
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
    browser: bool,
) -> None:
    """Show inbox and results in a browser, until stopped with Ctrl-C: add files, see progress, correct values, ask questions.

    Open the address that is printed at the start; it contains a token, and requests without the token are refused. The variable
    PIPELINE_SERVE_TOKEN sets a token of your own. The command starts its own `pipeline watch`, which reads the files. If another run
    uses the outbox, the files wait until that run has ended.

    Where the inbox is a mailbox or an object store, files are added there, not in the browser.

    `pipeline users` makes accounts for several people. Each signs in then, and the token is for programs alone.
    """
    settings = options.read_settings(config, inbox=inbox, outbox=outbox, engine=engine, model=model)
    if settings.outbox_url:
        raise SettingsError(
            "`pipeline serve` needs an outbox that is a folder", "use `pipeline watch` and `pipeline review` (docs/stores.md)"
        )
    token = os.environ.pop(TOKEN_VARIABLE, "") or secrets.token_urlsafe(32)
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
        raise SettingsError(f"{TOKEN_VARIABLE}: not a token", f"at least {MIN_TOKEN_LENGTH} letters, digits, - and _")
    try:
        from pipeline.web import server
        from pipeline.web.app import make_app, with_access_control
        from pipeline.web.context import ServerContext
        from pipeline.web.document_list import follow_ledger
        from pipeline.web.identity import Accounts
        from pipeline.web.image_cache import PageImageCache
        from pipeline.web.open_browser import open_address
        from pipeline.web.running_server import only_server, record_address
        from pipeline.web.supervisor import Supervisor
        from pipeline.web.task_store import TaskStore
        from pipeline.web.uploads import clean_up
        from pipeline.web.webhook_sender import WebhookSender
    except ImportError as error:
        raise SettingsError(
            f"`pipeline serve` needs packages that are not installed: {error}", install_hint("serve")
        ) from error

    if not settings.inbox_url:
        settings.inbox.mkdir(parents=True, exist_ok=True)
    templates = all_templates(settings)
    for name in (template or "").split(",") if template else ():
        check_template(name.strip(), templates)
    make_ledger(settings)
    if not settings.inbox_url:
        clean_up(settings.inbox)
    with only_server(settings.outbox), ExitStack() as stack:
        listener = stack.enter_context(server.listen(host, port))
        port = listener.getsockname()[1]
        accounts = Accounts(settings.outbox / STATE_FOLDER)
        has_people = bool(settings.serve.user_header) or accounts.people.is_used()
        if not server.is_loopback(host) and not settings.serve.certificate and not settings.serve.proxies:
            echo(
                f"pipeline: {host} can be reached from other machines, without encryption: others on the network can read the "
                f"{'passwords' if has_people else 'token'}; `serve.certificate` names a certificate",
                err=True,
            )
        private = stack.enter_context(TemporaryDirectory(prefix="pipeline-", ignore_cleanup_errors=True))
        chat_socket = Path(private) / "chat"
        reader = Supervisor([*watch_arguments(config, settings, template), "--chat-socket", str(chat_socket)], settings.outbox)
        page_images, tasks = stack.enter_context(PageImageCache(settings)), TaskStore(settings.outbox / STATE_FOLDER)
        context = ServerContext(settings, templates, page_images, stack.enter_context(reader), tasks, chat_socket)
        stack.enter_context(WebhookSender(context))
        Thread(target=follow_ledger, args=[context], daemon=True).start()  # a minute for many documents after an upgrade
        app = with_access_control(
            make_app(context),
            token,
            server.permitted_hosts(host, port, names),
            port,
            settings.limits.megabytes * 1_000_000,
            accounts,
            settings.serve,
        )
        web_server = server.WebServer(app, settings.serve.certificate, settings.serve.certificate_key)

        def stop() -> None:
            web_server.should_exit = True

        with stop_on_signals(stop, lambda _: None):
            local = host in ("127.0.0.1", "0.0.0.0", "::", "localhost")  # noqa: S104 - compared, not bound
            address = "127.0.0.1" if local else f"[{host}]" if ":" in host else host
            scheme = "https" if settings.serve.certificate else "http"
            query = "" if has_people else f"?token={token}"
            url = f"{scheme}://{address}:{port}/"
            record_address(settings.outbox, url)
            echo(f"{url}{query}\nserving {settings.inbox_location} and {settings.outbox}; Ctrl-C ends it")
            if browser:
                open_address(f"{url}{query}")
            web_server.run(sockets=[listener])
    echo("stopped")


def make_ledger(settings: Settings) -> None:
    """Create, migrate or repair the ledger before two processes open it. Raises LedgerError, OutboxError."""
    messages: list[str] = []
    with suppress(LockedError), locked(settings.outbox, PROBE_SECONDS):  # if a run holds the lock, that run has done it
        open_repaired_ledger(settings, messages).close()
    with open_ledger(settings):
        pass
    for line in messages:
        echo(f"pipeline: {line}", err=True)


def watch_arguments(config: Path | None, settings: Settings, template: str | None) -> list[str]:
    """The arguments of the `pipeline watch` that reads the files, with the same settings."""
    arguments = ["--inbox", settings.inbox_location, "--outbox", str(settings.outbox), "--engine", settings.engine]
    if config:
        arguments += ["--config", str(config)]
    if settings.model:
        arguments += ["--model", settings.model]
    return arguments + (["--template", template] if template else [])
