"""``python -m training.kind_accuracy FOLDER…``: how many fields of generated documents the built-in templates of their kinds read rightly.

Each folder has documents of one kind with their truth (``python -m training.generate FOLDER --kind order``). A line a folder says how many
documents the classifier takes for this kind, how many stated fields and cells are read rightly, and how many fields that are not printed
have a value.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

import pipeline
from training.generator.kinds import kind_template, table_name


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--misses", is_flag=True, help="Show each field that is read wrongly.")
def main(folders: tuple[Path, ...], misses: bool) -> None:
    """See the module."""
    for folder in folders:
        truths = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
        kind = truths[0]["kind"]
        counts, by_field = Counter[str](), dict[str, Counter[str]]()
        files = {(folder / truth["file"]).resolve(): truth for truth in truths}
        for document in pipeline.read_many(files, settings={"split": "never"}, engine="embedded"):
            counts["documents"] += 1
            counts["classified"] += document.template == kind
        for document in pipeline.read_many(files, template=kind, settings={"split": "never"}, engine="embedded"):
            truth, fields = files[document.path.resolve()], document.results.get(kind, {})
            for name, wanted in truth["values"].items():
                got = fields[name].value if name in fields else None
                state = "right" if _same(got, wanted) else "missing" if got is None else "wrong"
                if wanted is None:
                    state = "empty" if got is None else "invented"
                by_field.setdefault(name, Counter())[state] += 1
                if misses and state in ("missing", "wrong", "invented"):
                    click.echo(f"  {truth['file']} {truth['language']} {name}: {wanted!r} read as {str(got)!r}")
            counts.update(_rows(truth["line_items"], fields, table_name(kind)))
        stated = sum(count["right"] + count["missing"] + count["wrong"] for count in by_field.values())
        right = sum(count["right"] for count in by_field.values())
        invented = sum(count["invented"] for count in by_field.values())
        empty = sum(count["empty"] for count in by_field.values())
        click.echo(
            f"{kind}: {counts['documents']} documents, {counts['classified']} classified; fields {right}/{stated} = {right / max(1, stated):.3f}; "
            f"cells {counts['cells right']}/{counts['cells']} = {counts['cells right'] / max(1, counts['cells']):.3f}; "
            f"rows {counts['rows read']} of {counts['rows']}; invented {invented} of {invented + empty}"
        )
        for name, count in by_field.items():
            click.echo(f"    {name}: {dict(count)}")
    missing = [name for name in kind_template(kind).fields if name not in by_field]
    click.echo(f"    not drawn: {', '.join(missing)}")


def _rows(wanted: list[dict[str, str | None]], fields: Mapping[str, Any], table: str | None) -> Counter[str]:
    """Cells that are right, row by row in their order."""
    read = fields[table].value if table and table in fields else None
    rows = read if isinstance(read, list) else []
    counts: Counter[str] = Counter({"rows": len(wanted), "rows read": len(rows)})
    for at, row in enumerate(wanted):
        own = rows[at] if at < len(rows) else {}
        for column, value in row.items():
            if value is not None:
                counts["cells"] += 1
                counts["cells right"] += _same(own.get(column), value)
    return counts


def _same(read: Any, wanted: str | None) -> bool:
    if read is None or wanted is None:
        return read is wanted
    if (number := _number(wanted)) is not None and (other := _number(str(read))) is not None:
        return number == other
    return _plain(str(read)) == _plain(wanted)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _plain(text: str) -> str:
    return re.sub(r"\W+", "", text.casefold())


if __name__ == "__main__":
    main()
