"""Generated documents: their truth is right, it can be made again, and no two are alike."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from playwright.sync_api import Browser
from stdnum import iban as stdnum_iban

from training.generate import generate
from training.generator import identifiers
from training.generator.browser import Renderer
from training.generator.check import check_folder, sums_faults, text_faults, value_faults
from training.generator.kinds import kind_template
from training.generator.make import Kind, make_document
from training.generator.vocabulary import countries, languages


@pytest.fixture(scope="module")
def renderer(browser: Browser) -> Renderer:
    return Renderer(browser)


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )


def write(folder: Path, renderer: Renderer, kind: Kind, count: int, **options: Any) -> list[dict[str, Any]]:
    folder.mkdir(exist_ok=True)
    truths = []
    for number, captured, facts in generate(kind, count, 11, renderer=renderer, **options):
        name = f"{number:06d}{captured.suffix}"
        (folder / name).write_bytes(captured.data)
        truths.append({"file": name, **facts})
        (folder / f"{number:06d}.json").write_text(json.dumps(truths[-1]), encoding="utf-8")
    return truths


@pytest.mark.parametrize("kind", ["invoice", "receipt"])
def test_values_stand_in_their_boxes_and_sums_are_right(kind: Kind, renderer: Renderer, tmp_path: Path) -> None:
    truths = write(tmp_path, renderer, kind, 16, medium="digital")
    report = check_folder(tmp_path)
    assert report.faults == []
    assert report.documents == len(truths) >= 13
    assert all(facts["values"]["total"] and facts["boxes"]["total"] for facts in truths)


@pytest.mark.parametrize("kind", ["bank_statement", "letter"])
def test_other_kinds_have_the_values_of_their_templates_in_their_boxes(kind: Kind, renderer: Renderer, tmp_path: Path) -> None:
    truths = write(tmp_path, renderer, kind, 6, medium="digital")
    assert check_folder(tmp_path).faults == []
    assert len(truths) >= 5
    assert all(set(facts["values"]) <= set(kind_template(kind).fields) for facts in truths)


def test_the_check_finds_a_moved_box_a_wrong_sum_and_a_wrong_value(renderer: Renderer, tmp_path: Path) -> None:
    facts = write(tmp_path, renderer, "invoice", 1, medium="digital")[0]
    pdf = (tmp_path / facts["file"]).read_bytes()
    moved = {
        **facts,
        "boxes": {**facts["boxes"], "total": [[b[0], b[1], b[2] + 90, b[3], b[4] + 90] for b in facts["boxes"]["total"]]},
    }
    assert text_faults(facts, pdf) == []
    assert len(text_faults(moved, pdf)) == 1
    wrong_sum = {**facts, "sums": {**facts["sums"], "total": str(Decimal(facts["sums"]["total"]) + 1)}}
    assert sums_faults(facts) == []
    assert sums_faults(wrong_sum)
    wrong_value = {**facts, "values": {**facts["values"], "total": "1.23"}}
    assert value_faults(facts) == []
    assert value_faults(wrong_value)


def test_the_same_seed_makes_the_same_document_in_any_process() -> None:
    code = (
        "import hashlib; from training.generator.make import make_document;"
        "made = [make_document(k, 5, n) for k in ('invoice', 'receipt') for n in (1, 2, 3)];"
        "print([(d.layout, hashlib.sha256(d.html.encode()).hexdigest()) for d in made])"
    )
    runs = [run(["-c", code]) for _ in range(2)]
    assert [made.returncode for made in runs] == [0, 0]
    assert runs[0].stdout == runs[1].stdout


@pytest.mark.parametrize("kind", ["invoice", "receipt"])
def test_hardly_two_of_two_hundred_documents_have_one_layout(kind: Kind) -> None:
    documents = [make_document(kind, 3, number) for number in range(200)]
    assert len({document.layout for document in documents}) >= 195
    assert len({document.language for document in documents}) >= len(languages()) * 0.8
    assert len({document.country for document in documents}) >= 15


@pytest.mark.parametrize("medium", ["scan", "photo"])
def test_boxes_of_images_hold_the_print(medium: Any, renderer: Renderer, tmp_path: Path) -> None:
    """Where the total stands, the image is darker than the paper around."""
    darker = 0
    truths = write(tmp_path, renderer, "invoice", 3, medium=medium)
    for facts in truths:
        with pymupdf.open(tmp_path / facts["file"]) as file:
            page_number, *place = facts["boxes"]["total"][-1]
            page = file[page_number - 1]
            scale = page.rect.width / facts["pages"][page_number - 1][0]  # MuPDF takes an image without resolution for 96 dpi
            assert page.rect.height == pytest.approx(facts["pages"][page_number - 1][1] * scale, abs=1)
            box = [value * scale for value in place]
            width, height = box[2] - box[0], box[3] - box[1]
            around = (box[0] - width * 0.3, box[1] - height * 0.2, box[2] + width * 0.3, box[3] + height * 0.2)
            inner, outer = (
                page.get_pixmap(clip=clip, matrix=pymupdf.Matrix(2, 2), colorspace=pymupdf.csGRAY) for clip in (box, around)
            )
            darker += sum(inner.samples) / len(inner.samples) < sum(outer.samples) / len(outer.samples)
    assert darker == len(truths)


@pytest.mark.parametrize("scheme", sorted({country.tax_id for country in countries().values()}))
def test_tax_numbers_have_right_check_digits(scheme: str) -> None:
    rng = random.Random(scheme)
    numbers = [identifiers.tax_id(scheme, rng) for _ in range(5)]
    assert all(identifiers.is_right(scheme, number) for number in numbers)


def test_accounts_have_right_check_digits() -> None:
    rng = random.Random(1)
    ibans = [number for code in countries() for _ in range(3) if (number := identifiers.iban(code, rng))]
    assert len(ibans) > 60
    assert all(stdnum_iban.is_valid(number, check_country=False) for number in ibans)


def test_the_command_writes_documents_and_checks_them(browser: Browser, tmp_path: Path) -> None:
    command = ["-m", "training.generate", str(tmp_path / "out")]
    made = run([*command, "--kind", "receipt", "--count", "3", "--languages", "de", "--medium", "digital"])
    assert made.returncode == 0, made.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"00000{number}.{suffix}" for number in (1, 2, 3) for suffix in ("json", "pdf")]
    checked = run([*command, "--check"])
    assert checked.returncode == 0, checked.stdout
    assert "3 documents" in checked.stdout


def test_the_command_says_which_language_it_cannot_write(tmp_path: Path) -> None:
    refused = run(["-m", "training.generate", str(tmp_path), "--languages", "xx"])
    assert refused.returncode == 1
    assert "no documents in xx" in refused.stderr
