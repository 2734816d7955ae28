"""Which documents count as one layout, and how that is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.evaluate.evaluation import Evaluation, evaluate
from pipeline.evaluate.expected import Truth, parse_expected
from pipeline.evaluate.layouts import layouts
from pipeline.evaluate.read_results import ReadDocument, ReadField
from pipeline.settings import configs_folder
from pipeline.templates.load import load_templates
from pipeline.templates.template import Template

TEMPLATES = load_templates([configs_folder() / "templates"])
FIELDS = TEMPLATES["invoice"].fields


def truth(file: str, layout: str = "", **fields: Any) -> Truth:
    expected = {name: parse_expected(value, FIELDS[name]) for name, value in fields.items()}
    return Truth(file, Path(file), expected, layout=layout)


def read(**values: str) -> ReadDocument:
    return ReadDocument("done", fields={name: ReadField(value) for name, value in values.items()})


def names(truths: list[Truth], *results: ReadDocument | None) -> list[tuple[str, str]]:
    return [(layout.name, layout.known) for layout in layouts(truths, results or [None] * len(truths), FIELDS)]


def test_the_truth_names_the_layout_else_the_sender_stands_for_it() -> None:
    a, b = truth("a", "blue", vendor_name="A Ltd"), truth("b", vendor_name="A  Ltd")
    assert names([a, b]) == [("blue", "truth"), ("A Ltd", "sender")]


def test_senders_with_one_number_or_one_name_are_one_also_through_others() -> None:
    documents = [
        truth("a", vendor_name="Harrow Ltd", vendor_vat_id="GB 123456789"),
        truth("b", vendor_name="Harrow Lane", vendor_vat_id="GB123456789"),
        truth("c", vendor_name="HARROW LANE"),
        truth("d", vendor_name="Other Ltd", vendor_vat_id="GB987654321"),
        truth("e", vendor_vat_id="GB987654321"),
    ]
    found = [name for name, _ in names(documents)]
    assert found[0] == found[1] == found[2]
    assert found[3] == found[4] == "Other Ltd"
    assert len(set(found)) == 2


def test_what_was_read_stands_for_a_sender_that_the_truth_does_not_know() -> None:
    documents = [truth("a", total="5"), truth("b", vendor_name="A Ltd"), truth("c", vendor_name=None), truth("d", total="5")]
    results = read(vendor_name="A Ltd"), read(vendor_name="Wrong Ltd"), read(vendor_name="Invented Ltd"), None
    assert names(documents, *results) == [
        ("A Ltd", "sender as read"),
        ("A Ltd", "sender"),
        ("unknown", "unknown"),
        ("unknown", "unknown"),
    ], "unknown ones count as one: nothing says that they differ"


def test_a_template_without_a_sender_has_intervals_over_documents() -> None:
    template = Template.model_validate({"name": "note", "prompt": "Read it.", "fields": {"number": {"type": "identifier"}}})
    documents = [Truth(name, Path(name), {"number": ("1",)}) for name in "abcdefgh"]
    hashes = {Path(name): name for name in "abcdefgh"}
    results = {name: ReadDocument("done", fields={"number": ReadField("1" if name < "g" else "2")}) for name in "abcdefgh"}
    evaluation = evaluate("now", documents, hashes, results, template.fields)
    assert not evaluation.over_layouts
    assert evaluation.interval == evaluation.micro_interval
    assert evaluation.basis.startswith("8 documents of 1 layout (that of 8 is unknown and counts as one).")


def made(layouts_of_documents: list[str], wrong: str) -> Evaluation:
    documents = [truth(str(n), layout, total="5", invoice_number="1") for n, layout in enumerate(layouts_of_documents)]
    hashes = {document.path: document.file for document in documents}
    results = {
        document.file: read(total="6" if document.layout == wrong else "5", invoice_number="1") for document in documents
    }
    return evaluate("now", documents, hashes, results, FIELDS)


def test_documents_of_one_layout_go_wrong_together_so_the_interval_counts_layouts() -> None:
    together = made([layout for layout in "abcdef" for _ in range(10)], "a")
    apart = made([f"{n}" for n in range(60)], "0")
    assert (len(together.layouts), len(apart.layouts)) == (6, 60)
    assert together.micro.value == 1 - 10 / 120
    assert together.interval[0] < together.micro_interval[0] < together.micro.value < together.micro_interval[1]
    assert together.field_intervals["total"][0] < 0.6
    assert together.silent_interval[1] > 0.2
    assert apart.interval == apart.micro_interval
    groups = together.groups["layout"]
    assert (groups["a"].documents, groups["a"].layouts, groups["a"].share.right, groups["a"].review.silent) == (10, 1, 10, 10)
