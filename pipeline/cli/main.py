"""The command ``pipeline``: finds the subcommand without importing the others, so that ``--help`` is quick."""

from __future__ import annotations

import importlib
import sqlite3
import sys
import traceback

import click

from pipeline import __version__
from pipeline.errors import ExitCode, PipelineError

COMMANDS = {
    "init": "Make a folder ready: settings, templates, inbox and outbox.",
    "doctor": "Say what this machine can do, what is misconfigured, and what to do about it.",
    "run": "Read what is new in the inbox (or the PATHS given), then stop.",
    "estimate": "Predict hours, memory and disk for the whole inbox, from a few pages really read.",
    "watch": "Read what is in the inbox and what comes into it, until stopped.",
    "serve": "Show inbox and results in a browser: add files, correct values, ask about pages.",
    "status": "Show what is done, what failed and why.",
    "review": "Write one HTML file that shows every value on its page; opens from disk, can be mailed.",
    "export": "Write everything in the outbox again from the ledger, also as Excel, SQLite, Parquet or JSON Lines.",
    "reprocess": "Read documents again with today's templates and engine; also archives and folders.",
    "eval": "Say how much is read right of documents whose truth is known; compare engines and templates.",
    "models": "Get, list, verify and remove the models that read pages.",
}


class _Lazy(click.Group):
    """Imports a subcommand's module when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a user meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of ``pipeline.cli.<name>``."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"pipeline.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for ``--help``, without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


EPILOG = """\b
Exit codes: 0 all done, 1 some documents failed, 2 usage or configuration,
3 another run holds the lock, 4 the engine is not available, 70 a defect of pipeline,
130 interrupted (run again to go on)."""


@click.command(cls=_Lazy, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version")
def cli() -> None:
    """A folder of PDFs and images goes in; JSON and CSV come out.

    \b
    Start here:
      pipeline init            make ./inbox, ./outbox, pipeline.yaml and templates/
      pipeline run             read what is in ./inbox, write to ./outbox
      pipeline status          see what was read and what failed
    """


def main() -> None:
    """Run the command line; errors are one message and one cure; a traceback is only for our own mistakes."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except PipelineError as error:
        click.echo(f"pipeline: {error}", err=True)
        code = error.exit_code
    except sqlite3.Error as error:
        click.echo(f"pipeline: the ledger: {error}\n  if it goes on, see docs/errors.md; what was committed is kept", err=True)
        code = ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("pipeline: interrupted; run the same command again to go on", err=True)
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = ExitCode.OK
    except Exception:
        traceback.print_exc()
        click.echo("pipeline: this is a defect; please report it with the lines above. What was committed is kept", err=True)
        code = ExitCode.DEFECT
    sys.exit(code if isinstance(code, int) else ExitCode.OK)
