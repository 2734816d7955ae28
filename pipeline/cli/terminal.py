"""The only way to standard output and standard error: what commands print holds no control character from a document or a file name."""

from __future__ import annotations

import io
import json
import sys
import traceback
from typing import Any

import click

from pipeline.errors import PipelineError
from pipeline.printable import printable, printable_json


def echo(text: str = "", *, err: bool = False) -> None:
    """Print lines on standard output, or on standard error."""
    click.echo(printable(text), err=err)


def echo_if_possible(text: str = "", *, err: bool = False) -> None:
    """As ``echo``, while documents are read: an output that cannot be written, such as a file on a full disk, does not end the reading.

    Raises BrokenPipeError when the program that reads the output is gone.
    """
    try:
        echo(text, err=err)
    except BrokenPipeError:
        raise
    except OSError:
        return


def echo_error(error: PipelineError) -> None:
    """Print an error and what to do about it. Lines behind the first are indented: a file's name cannot imitate one of the program."""
    text = f"{error.message}\n{error.cure}" if error.cure else error.message
    click.echo("pipeline: " + printable(text).replace("\n", "\n  "), err=True)


def echo_usage_error(error: click.ClickException) -> None:
    """Print what is wrong with a command line."""
    text = io.StringIO()
    error.show(file=text)
    click.echo(printable(text.getvalue()), err=True, nl=False)


def echo_traceback() -> None:
    """Print the traceback of the exception that is handled."""
    click.echo(printable(traceback.format_exc()), err=True, nl=False)


def echo_json(value: Any) -> None:
    """Print a JSON value on standard output."""
    text = json.dumps(value, ensure_ascii=False, indent=1, default=str)
    sys.stdout.write(f"{printable_json(text)}\n")
