"""What a language model answers on documents whose truth is known, kept as JSON lines, so that weights are fitted without the model.

    python -m training.model_answers MODEL OUT GENERATED... [--real FOLDER...] [--pages FOLDER] [--dtype auto]

MODEL is a model as in the setting ``model``. A page that OUT has already is not answered again, so that a run can be continued. A page
whose fields the embedded engine has read for sure is not answered at all.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.engines.base import Request
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.records import Answer, Claim, UnitKey
from pipeline.run.embedded_reading import embedded_reading
from pipeline.settings import Settings
from pipeline.settings_sections import VlmSettings
from training.scorer.examples import TrueDocument, generated_documents, real_documents, template_of

IN_FLIGHT = 16
"""Requests that the engine has at most, so that pages are prepared in turn with the answers."""


def main() -> None:
    """Answer all pages that have no answer yet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("generated", nargs="*", type=Path)
    parser.add_argument("--real", nargs="*", type=Path, default=[])
    parser.add_argument("--pages", type=Path, default=Path("build/pages"), help="where pages of real documents are kept")
    parser.add_argument("--dtype", default="auto")
    given = parser.parse_args()
    documents = chain(
        chain.from_iterable(map(generated_documents, given.generated)),
        chain.from_iterable(real_documents(folder, given.pages) for folder in given.real),
    )
    engine = VlmEngine(Settings(model=given.model, vlm=VlmSettings(dtype=given.dtype)))
    known = set(kept_answers(given.out)) if given.out.exists() else set()
    with given.out.open("a", encoding="utf-8") as sink:
        for request in questions(documents):
            if (request.key.sha256, request.key.page) not in known:
                engine.submit(request)
            _drain(engine, IN_FLIGHT, sink)
        _drain(engine, 0, sink)


def questions(documents: Iterator[TrueDocument]) -> Iterator[Request]:
    """The requests of all pages with a field to ask about. Their keys hold the document's name in place of a hash."""
    for document in documents:
        template = template_of(document.kind)
        for page in document.pages:
            reading = embedded_reading(page, template)
            key = UnitKey(document.name, page.number, template.name, "")
            if (
                reading
                and (question := reading.question(Request(key, page, template, None, len(document.pages)))).template.fields
            ):
                yield question


def _drain(engine: VlmEngine, most: int, sink: Any) -> None:
    """Write the answers until ``most`` requests are left."""
    while engine.load > most:
        for answer in engine.poll(1.0):
            sink.write(json.dumps(stored(answer), ensure_ascii=False) + "\n")
            sink.flush()


def stored(answer: Answer) -> dict[str, Any]:
    """An answer as one line of the file."""
    claims = {name: {"value": claim.value, "signals": dict(claim.signals)} for name, claim in answer.claims.items()}
    return {
        "doc": answer.key.sha256,
        "page": answer.key.page,
        "status": answer.status,
        "claims": claims,
        "seconds": answer.seconds,
    }


def kept_answers(path: Path) -> dict[tuple[str, int], dict[str, Claim]]:
    """The claims of each page in the file, by the document's name and the page's number. Failed answers have none."""
    rows: Sequence[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {
        (row["doc"], row["page"]): {
            name: Claim(claim["value"], signals=claim["signals"])
            for name, claim in (row["claims"] if row["status"] == "done" else {}).items()
        }
        for row in rows
    }


if __name__ == "__main__":
    main()
