"""How long a list of many documents takes: making its index, sorting, filtering, searching, following one change.

python -m benchmarks.document_list [DOCUMENTS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.ledger.document_states import insert_decision
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.list_index import ListIndex
from pipeline.ledger.list_query import ListFilter, find_documents
from pipeline.records import DocumentInfo, Evidence, Result, Source, UnitKey

WORDS_ON_A_PAGE, ROWS, REPEATS = 250, 50, 5


def fill(ledger: Ledger, count: int) -> None:
    """Write invoices of one page to a ledger, as a run leaves them there."""
    random = np.random.default_rng(4)
    vocabulary = ["".join(random.choice(list("abcdefghijklmnopqrstuvwxyz"), random.integers(3, 11))) for _ in range(20_000)]
    for start in range(0, count, 1_000):
        with ledger.transaction():
            for n in range(start, min(count, start + 1_000)):
                sha256, name = f"{n:064x}", f"{n % 200:03}/invoice {n:06}.pdf"
                listed = {
                    "vendor": f"{vocabulary[n % 900].title()} Ltd",
                    "date": f"{2020 + n % 6}-{n % 12 + 1:02}-{n % 28 + 1:02}",
                    "number": f"R-{n % (count - count // 50)}",
                    "total": f"{random.integers(100, 900_000) / 100:.2f}",
                    "currency": "EUR",
                }
                ledger.record_file(Source(Path("/inbox") / name, name, name), sha256, 1, 1)
                ledger.record_document(DocumentInfo(sha256, "pdf", 1))
                fields = {key: Evidence(value=value) for key, value in listed.items()}
                ledger.insert_results([Result(UnitKey(sha256, 1, "invoice", "r"), "done", fields)])
                words = random.zipf(1.3, WORDS_ON_A_PAGE) % len(vocabulary)
                ledger.insert_page_texts(sha256, {1: " ".join([*(vocabulary[word] for word in words), *listed.values()])})
                review = ["total"] if n % 10 == 0 else []
                ledger.record_publication(name, sha256, {"invoice": "r"}, "done", None, review=review, listed=listed)


def median_milliseconds(act: Callable[[], object]) -> float:
    """The median time of some repetitions."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        act()
        times.append(1_000 * (time.perf_counter() - started))
    return statistics.median(times)


def main(count: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place, Ledger(Path(place)) as ledger:
        folder = Path(place)
        fill(ledger, count)
        index = ListIndex(folder)
        started = time.perf_counter()
        index.follow(ledger, lambda _: {})
        sizes = {path.name: path.stat().st_size / 1e6 for path in sorted(folder.glob("*.sqlite"))}
        print(f"{count:,} documents: index made in {time.perf_counter() - started:.1f} s; MB: {sizes}")
        some = f"R-{count // 3}"
        questions = {
            "first page": (ListFilter(), "", 0, False),
            "last page": (ListFilter(), "", count - ROWS, False),
            "by vendor": (ListFilter(), "vendor", 0, False),
            "by total, descending, page 1,000": (ListFilter(), "total", count // 2, True),
            "to check, with doubts, by date": (ListFilter(marked="review"), "date", 0, True),
            "dates of one year, by total": (ListFilter(since="2022-01-01", until="2022-12-31"), "total", 0, True),
            "duplicates, by vendor": (ListFilter(marked="duplicate"), "vendor", 0, False),
            f"search {some}": (ListFilter(text=some), "", 0, False),
            "search of a word of every page, by date": (ListFilter(text="eur"), "date", 0, False),
            "search of two beginnings": (ListFilter(text="ab ce"), "", 0, False),
        }
        with index.opened() as db:
            for name, (wanted, sort, offset, descending) in questions.items():
                found = find_documents(db, wanted, sort, ROWS, offset, descending=descending)
                taken = median_milliseconds(lambda: find_documents(db, wanted, sort, ROWS, offset, descending=descending))  # noqa: B023 - called at once
                print(f"{taken:8.1f} ms  {name}: {found[0]:,} documents")

        def change() -> None:
            with ledger.transaction():
                insert_decision(ledger, f"{count // 2:064x}", "approved", "me")
            index.follow(ledger, lambda _: {})

        print(f"{median_milliseconds(change):8.1f} ms  a decision, and the index follows it")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
