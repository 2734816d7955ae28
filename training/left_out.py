"""Reads real documents, each with a scorer that was fitted without its layout, and writes the results as ``pipeline run`` would.

    python -m training.left_out GENERATED... --real FOLDER... --outbox FOLDER [--folds 4] [--networks 3] [--real-weight 3]

GENERATED and ``--real`` are those of ``python -m training.scorer``. Each of ``--real`` gets a folder of its name in the outbox, of which
``benchmarks.accuracy_tables`` makes tables; its ``predictions.jsonl`` has a line a document for other scorers. The scorer of candidates and
the readers of tables and addresses are fitted anew; the confidences are the shipped ones.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.checks.arithmetic import check_document
from pipeline.checks.confidence import ENGINE, assess_confidence
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.engines.embedded.fields import read_fields
from pipeline.publish.publication import Publication
from pipeline.records import DocumentInfo, Evidence, Result, Source, UnitKey
from training.addresses.examples import address_examples
from training.curves import Known, fitted, generated, layout_of
from training.fit_command import folds
from training.fit_stacked import StackedExample
from training.items.examples import cell_examples
from training.other_weights import fit_if_any, networks_in_place
from training.scorer.examples import TrueDocument, examples, generated_documents, real_documents, template_of


def main() -> None:
    """Fit a scorer for every part, read with it, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("generated", nargs="*", type=Path)
    parser.add_argument("--real", nargs="+", type=Path, required=True)
    parser.add_argument("--outbox", type=Path, required=True)
    parser.add_argument("--pages", type=Path, default=Path("build/pages"), help="where pages of real documents are kept")
    parser.add_argument("--real-weight", type=float, default=3.0, help="weight of a real example; a generated one weighs 1")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    files = [file for folder in given.real for file in true_files(folder, given.pages)]
    learned = [*generated(given), *(known(file.document, given.real_weight) for file in files)]
    looks = [list(stacked(make, files, given)) for make in (cell_examples, address_examples)]
    predictions: dict[Path, list[dict[str, object]]] = {}
    for file, fields in left_out(files, learned, looks, given):
        outbox = given.outbox / file.folder.name
        outbox.mkdir(parents=True, exist_ok=True)
        predictions.setdefault(outbox, []).append(write(file, fields, outbox))
    for outbox, lines in predictions.items():
        (outbox / "predictions.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


@dataclass(frozen=True)
class TrueFile:
    """A real document, where it is, and the folder whose truth names it."""

    document: TrueDocument
    path: Path
    folder: Path


def true_files(folder: Path, pages: Path) -> Iterator[TrueFile]:
    """The documents of a ``truth.jsonl``."""
    lines = (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    for line, document in zip(lines, real_documents(folder, pages), strict=True):
        yield TrueFile(document, folder / json.loads(line)["file"], folder)


def known(document: TrueDocument, weight: float) -> Known:
    """The examples of a real document."""
    return Known("real", layout_of(document), tuple(examples(document)), weight)


def stacked(
    make: Callable[[TrueDocument, float], Iterator[StackedExample]], files: Sequence[TrueFile], given: argparse.Namespace
) -> Iterator[StackedExample]:
    """The examples of generated and real documents for networks that look twice; layouts are named as ``left_out`` parts them."""
    for folder in given.generated:
        for document in generated_documents(folder):
            yield from make(document, 1.0)
    for file in files:
        for example in make(file.document, given.real_weight):
            yield replace(example, layout=layout_of(file.document))


def left_out(
    files: Sequence[TrueFile], learned: Sequence[Known], looks: Sequence[Sequence[StackedExample]], given: argparse.Namespace
) -> Iterator[tuple[TrueFile, dict[str, Evidence]]]:
    """Every document with its fields, read by networks that were fitted to ``learned`` and ``looks`` without its layout."""
    fold_of = folds((row.layout for row in learned if row.source == "real"), given.folds, given.seed)
    for fold in range(given.folds):
        networks, seconds = fitted([row for row in learned if fold_of.get(row.layout) != fold], given)
        mine = [file for file in files if fold_of[layout_of(file.document)] == fold]
        print(f"part {fold + 1} of {given.folds}: fitted in {seconds:.0f} s, {len(mine)} documents", flush=True)
        cells, addresses = (
            fit_if_any([e for e in part if fold_of.get(e.layout) != fold], given.seed, given.epochs, given.networks)
            for part in looks
        )
        with networks_in_place(networks, cells, addresses):
            for file in mine:
                yield file, read_document(file.document)


def read_document(document: TrueDocument) -> dict[str, Evidence]:
    """The fields of a document after all checks, as a run composes them."""
    template = template_of(document.kind)
    results = [
        Result(UnitKey("0" * 64, page.number, template.name, ""), "done", ground(read_fields(page, template), page, template))
        for page in document.pages
    ]
    fields = apply_fallbacks(check_document(merge_pages(results, template), template), template)
    return assess_confidence(fields, template, ENGINE)


def write(file: TrueFile, fields: dict[str, Evidence], outbox: Path) -> dict[str, object]:
    """Write the result of a document; returns its line for another scorer."""
    document, path = file.document, file.path
    template, sha256 = template_of(document.kind).name, hashlib.sha256(path.read_bytes()).hexdigest()
    units = [Result(UnitKey(sha256, page.number, template, ""), "done", fields, source=page.source) for page in document.pages]
    info = DocumentInfo(sha256, path.suffix.removeprefix("."), len(document.pages))
    source = Source(path, path.name, path.name)
    result = Publication(source, info, {template: ""}, units, {template: fields}, {"engine": ENGINE}).as_json()
    (outbox / f"{path.name}.json").write_text(json.dumps(result, ensure_ascii=False, default=str), encoding="utf-8")
    values = {name: evidence.value for name, evidence in fields.items()}
    return {"file": path.name, "fields": values, "line_items": values.get("line_items") or []}


if __name__ == "__main__":
    main()
