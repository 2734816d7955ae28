"""The commands of ``pipeline``. This imports only the subcommand that is used, so ``--help`` is quick."""

from __future__ import annotations

import importlib
import sqlite3
import sys

import click

from pipeline import __version__
from pipeline.cli.terminal import echo, echo_error, echo_traceback, echo_usage_error
from pipeline.errors import ExitCode, PipelineError, describe_machine_fault, is_machine_fault

COMMANDS = {
    "init": "Prepare a folder: settings, templates, inbox and outbox.",
    "doctor": "Check this machine and the settings, and say what to do about problems.",
    "run": "Read the new documents in the inbox (or the given PATHS), then stop.",
    "estimate": "Predict time, memory and disk for the whole inbox from a small sample.",
    "watch": "Read the inbox and every file that arrives in it, until stopped.",
    "serve": "Show inbox and results in a browser: add files, correct values, ask questions.",
    "users": "Invite people to `pipeline serve`, change roles, give tokens to their programs.",
    "mcp": "Give an assistant tools for the inbox: read, search, ask, status (MCP).",
    "status": "Show how far a run is, what is done, and what failed and why.",
    "review": "Write one HTML file that shows every value on its page, to open or mail.",
    "split": "Show which documents a file holds, or say it: pages 1-3,4,5-6. Nothing is read again.",
    "unlock": "Give the password of a document that has one, and have it read.",
    "learn": "Learn from corrected and confirmed values what mends more than it breaks (undoable).",
    "export": "Write all results again, also as Excel, SQLite, Parquet or JSON Lines.",
    "reprocess": "Read documents, folders or archives again with the present templates and engine.",
    "forget": "Take results of documents back (undoable), e.g. of files that have vanished.",
    "eval": "Measure accuracy on documents with known values; compare engines and templates.",
    "template": "Draft a template of your own from a few sample documents.",
    "models": "Download, list, verify and remove models.",
}


class _LazyGroup(click.Group):
    """Imports the module of a subcommand when the subcommand is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a new user needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command in the module ``pipeline.cli.<name>``."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"pipeline.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for ``--help`` without an import."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


EPILOG = """\b
Exit codes: 0 all done, 1 some documents failed or were left unread, 2 usage or
configuration, 3 another run uses the outbox, 4 the engine is not available, 70 a defect in pipeline,
130 interrupted (the same command continues)."""


@click.command(
    cls=_LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "-V", "--version")
def cli() -> None:
    """Read a folder of PDFs and images; write their values as JSON and CSV.

    \b
    Start here:
      pipeline init            create ./inbox, ./outbox, pipeline.yaml and templates/
      pipeline run             read the files in ./inbox, write the results to ./outbox
      pipeline status          see what was read and what failed
    """


def run_command_line() -> None:
    """Run the command line and exit. An expected error prints a message and what to do about it; only a defect prints a traceback."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        echo_usage_error(error)
        code = ExitCode.USAGE
    except PipelineError as error:
        echo_error(error)
        code = error.exit_code
    except sqlite3.Error as error:
        echo(f"pipeline: the ledger: {error}\n  if it happens again, see docs/errors.md; finished pages are kept", err=True)
        code = ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        echo("pipeline: interrupted; the same command continues", err=True)
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = ExitCode.OK
    except Exception as error:
        if isinstance(error, OSError) and is_machine_fault(error):
            echo(f"pipeline: {describe_machine_fault(error)}\n  nothing is lost; run again when this is solved", err=True)
            code = ExitCode.USAGE
        else:
            echo_traceback()
            echo("pipeline: this is a defect; please report it with the lines above. Finished pages are kept", err=True)
            code = ExitCode.DEFECT
    sys.exit(code if isinstance(code, int) else ExitCode.OK)
