"""A workspace whose inbox has bills, and people who correct them as the web page does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.corrections import correction_history, record_correction
from pipeline.ledger.ledger import Ledger
from pipeline.records import Correction
from pipeline.settings import STATE_FOLDER, configs_folder
from pipeline.templates.load import load_template
from pipeline.values.times import utc_timestamp
from pipeline.web.correction_input import parse_value
from tests.cli.conftest import Pipeline, folder, pipeline
from tests.run.processes import Workspace

__all__ = ["folder", "pipeline"]

INVOICE = load_template(configs_folder() / "templates" / "invoice.yaml")


@dataclass(frozen=True)
class Office(Workspace):
    """A workspace for invoices. Its commands run in this process; readers are processes of their own."""

    pipeline: Pipeline

    def run(self, command: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """As Workspace, without a process for the command."""
        assert not environment
        outcome = self.pipeline(command, *arguments)
        return outcome.code, outcome.out, outcome.err

    def read(self, *arguments: str) -> None:
        """Read the new files of the inbox as invoices."""
        code, _, err = self.run("run", "--template", "invoice", "--engine", "embedded", *arguments)
        assert code == 0, err

    def ledger(self) -> Ledger:
        return Ledger(self.outbox / STATE_FOLDER)

    def correct(self, name: str, field: str, value: Any) -> None:
        """Enter a value, by the functions that ``serve`` calls."""
        with self.ledger() as ledger:
            file = ledger.file_by_name(name)
            assert file
            assert file.published_sha256
            before = self.fields(name)[field]["value"]
            known = correction_history(ledger, file.published_sha256).get(("invoice", field), [])
            parsed = parse_value(value, INVOICE.fields[field])
            entry = Correction("invoice", field, len(known) + 1, parsed, False, before, "Ada", utc_timestamp())
            record_correction(ledger, file.published_sha256, entry)

    def learn(self, *arguments: str) -> Any:
        """The JSON that `pipeline learn` prints."""
        code, out, err = self.run("learn", "--json", *arguments)
        assert code == 0, err
        return json.loads(out)

    def reread(self, *arguments: str) -> None:
        code, _, err = self.run("reprocess", *arguments)
        assert code == 0, err

    def fields(self, name: str) -> dict[str, Any]:
        published = json.loads((self.outbox / f"{name}.json").read_text(encoding="utf-8"))
        fields: dict[str, Any] = published["results"]["invoice"]["fields"]
        return fields

    def number(self, name: str) -> Any:
        return self.fields(name)["invoice_number"]["value"]


@pytest.fixture
def office(folder: Path, pipeline: Pipeline) -> Office:
    (folder / "inbox").mkdir()
    return Office(folder, pipeline)
