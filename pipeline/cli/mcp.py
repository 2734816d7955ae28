"""``pipeline mcp``: the inbox and its results as tools of an assistant, over the Model Context Protocol."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.serve import make_ledger, watch_arguments
from pipeline.errors import SettingsError
from pipeline.install_hint import install_hint
from pipeline.run.job import all_templates
from pipeline.settings import STATE_FOLDER


@click.command("mcp")
@options.folders
@options.engine
@options.model
def command(
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    engine: str | None,
    model: str | None,
) -> None:
    """Give an assistant tools for the inbox: read, search, ask, status (Model Context Protocol on standard input and output).

    Name this command in the settings of the assistant. It reads the inbox with a `pipeline watch` of its own, or waits for the run that
    uses the outbox. It ends with its standard input.

    \b
    Example of an assistant's settings:
      {"mcpServers": {"documents": {"command": "pipeline", "args": ["mcp", "--inbox", "/home/me/inbox"]}}}
    """
    settings = options.read_settings(config, inbox=inbox, outbox=outbox, engine=engine, model=model)
    if settings.inbox_url or settings.outbox_url:
        raise SettingsError(
            "`pipeline mcp` needs an inbox and an outbox that are folders", "docs/stores.md describes other ways"
        )
    try:
        from pipeline.web.context import ServerContext
        from pipeline.web.image_cache import PageImageCache
        from pipeline.web.mcp_server import make_mcp_server
        from pipeline.web.supervisor import Supervisor
        from pipeline.web.task_store import TaskStore
    except ImportError as error:
        raise SettingsError(f"`pipeline mcp` needs packages that are not installed: {error}", install_hint("mcp")) from error
    settings.inbox.mkdir(parents=True, exist_ok=True)
    templates = all_templates(settings)
    make_ledger(settings)
    with ExitStack() as stack:
        reader = stack.enter_context(Supervisor(watch_arguments(config, settings, None), settings.outbox))
        images = stack.enter_context(PageImageCache(settings))
        context = ServerContext(settings, templates, images, reader, TaskStore(settings.outbox / STATE_FOLDER))
        try:
            asyncio.run(make_mcp_server(context).run_stdio_async())
        except* BrokenPipeError as gone:  # the assistant has ended before its answer came
            raise BrokenPipeError(str(gone)) from gone
