"""The tools for assistants over the Model Context Protocol, with its official SDK: on standard input and output, or over HTTP."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings

from pipeline import __version__
from pipeline.web.assistant_tools import NOTICE, AssistantTools, ToolRefusedError
from pipeline.web.context import ServerContext

PATH = "/mcp"
INSTRUCTIONS = (
    "Reads documents (invoices, receipts, charts, texts) of one folder, the inbox. `search` finds documents, `read` gives the values "
    f"of one, `ask` answers a question about one of its pages, `status` says how far reading is. {NOTICE}"
)


def make_mcp_server(context: ServerContext) -> Any:
    """The server with its tools."""
    with _same_logging():
        server = MCPServer("pipeline", version=__version__, instructions=INSTRUCTIONS)
    tools = AssistantTools(context)
    for tool in (tools.status, tools.search, tools.read, tools.ask):
        server.add_tool(_with_reasons(tool))
    return server


def mcp_app(server: Any) -> Any:
    """The server as an ASGI application at ``PATH``. The access control before it checks hosts and origins."""
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, json_response=True, transport_security=security
    )


@contextmanager
def _same_logging() -> Iterator[None]:
    """The SDK gives the log of the whole process a handler and the level INFO; afterwards it is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def _with_reasons(tool: Callable[..., Awaitable[dict[str, Any]]]) -> Callable[..., Awaitable[dict[str, Any]]]:
    """The tool, whose refusals reach the assistant as such."""

    @functools.wraps(tool)
    async def call(*arguments: Any, **named: Any) -> dict[str, Any]:
        try:
            return await tool(*arguments, **named)
        except ToolRefusedError as error:
            raise ToolError(str(error)) from error

    return call
