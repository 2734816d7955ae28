from __future__ import annotations

from typing import Any

import pytest

from pipeline.checks.merge import merge_pages
from pipeline.records import Evidence

from .building import result_of, template_of


def merge_field(field: dict[str, Any], *pages: Evidence | None) -> Evidence:
    """The field merged over pages. None is a failed page."""
    template = template_of({"field": field})
    results = [result_of(n, "failed") if e is None else result_of(n, field=e) for n, e in enumerate(pages, 1)]
    return merge_pages(results, template)["field"]


def on(page: int, value: Any, **more: Any) -> Evidence:
    return Evidence(value, page=page, **more)


EMPTY = Evidence(None)


@pytest.mark.parametrize(("rule", "page"), [("first", 2), ("last", 4), ("best", 3)])
def test_one_page_is_chosen_and_never_one_without_a_value(rule: str, page: int) -> None:
    pages = [EMPTY, on(2, "1.00", grounding="value", score=0.9), on(3, "2.00", grounding="exact"), on(4, "3.00"), EMPTY, None]
    assert merge_field({"type": "money", "merge": rule}, *pages).page == page


def test_of_equally_grounded_pages_the_higher_score_is_best() -> None:
    pages = [on(1, "a", grounding="exact", score=0.2), on(2, "b", grounding="exact", score=0.7)]
    assert merge_field({"type": "text", "merge": "best"}, *pages).value == "b"


def test_a_transcript_has_one_text_for_each_page_at_its_index() -> None:
    result = merge_field({"type": "text", "merge": "all"}, on(1, "one"), None, EMPTY, on(4, "four"))
    assert result.value == ["one", "", "", "four"]


def test_a_transcript_of_blank_pages_keeps_them() -> None:
    assert merge_field({"type": "text", "merge": "all"}, EMPTY, None).value == ["", ""]


TABLE = {"type": "table", "merge": "all", "columns": {"name": {}, "amount": {"type": "money"}}}


def test_rows_of_all_pages_are_joined_and_their_flags_renumbered() -> None:
    first = on(1, [{"name": "a"}, {"name": "b"}], flags=("ungrounded:2.name",), grounding="exact", box=(1, 2, 3, 4))
    second = on(3, [{"name": "a"}], flags=("ungrounded:1.amount",), grounding="fuzzy")
    result = merge_field(TABLE, first, None, second)
    assert result.value == [{"name": "a"}, {"name": "b"}, {"name": "a"}]
    assert result.flags == ("ungrounded:2.name", "ungrounded:3.amount")
    assert (result.page, result.box, result.grounding) == (1, (1, 2, 3, 4), "fuzzy")


def test_lists_join_without_duplicates() -> None:
    pages = [on(1, ["dog", "tree"]), on(2, ["tree", "car"], flags=("ungrounded:2",))]
    result = merge_field({"type": "text", "many": True}, *pages)
    assert result.value == ["dog", "tree", "car"]
    assert result.flags == ("ungrounded:3",)


def test_the_rule_all_makes_a_list_of_single_values() -> None:
    assert merge_field({"type": "money", "merge": "all"}, on(1, "1.00"), EMPTY, on(3, "2.00"), on(4, "1.00")).value == [
        "1.00",
        "2.00",
    ]


def test_the_e_invoice_of_page_one_precedes_every_rule() -> None:
    data = on(1, "24.00", printed="4,00", flags=("xml", "xml-differs"))
    same = on(2, "24", printed="24,00", grounding="value", box=(1, 2, 3, 4))
    total = merge_field({"type": "money", "merge": "last"}, data, same)
    assert (total.value, total.page, total.box, total.printed, total.flags) == ("24.00", 2, (1, 2, 3, 4), "24,00", ("xml",))
    total = merge_field({"type": "money", "merge": "last"}, data, on(2, "21.00", printed="21,00", grounding="value"))
    assert (total.value, total.printed, total.flags) == ("24.00", "21,00", ("xml", "xml-differs"))
    assert merge_field(TABLE, on(1, [{"name": "a"}], flags=("xml",)), on(2, [{"name": "a"}])).value == [{"name": "a"}]


def test_every_field_of_the_template_is_there() -> None:
    template = template_of({"a": {"type": "text"}, "b": {"type": "money"}})
    assert merge_pages([], template) == {"a": EMPTY, "b": EMPTY}
    assert merge_pages([result_of(1, "blank")], template) == {"a": EMPTY, "b": EMPTY}


def test_where_no_page_has_a_value_the_least_sure_page_counts() -> None:
    pages = [Evidence(None, score=0.99), Evidence(None, score=0.4, signals={"label": 1.0}), EMPTY, None]
    merged = merge_field({"type": "date"}, *pages)
    assert (merged.value, merged.score, merged.signals) == (None, 0.4, {"label": 1.0})


def test_an_unsure_value_precedes_sure_absence() -> None:
    merged = merge_field({"type": "money"}, Evidence(None, score=0.99), on(2, "1.00", score=0.1), Evidence(None, score=0.99))
    assert (merged.value, merged.page) == ("1.00", 2)
