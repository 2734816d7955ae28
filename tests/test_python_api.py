"""The Python API on real files: typed documents, failures, outboxes, and callers of every kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

import pipeline
from pipeline.runtime.lock import locked
from pipeline.settings import Settings
from tests.drawing import blank_pdf, encrypted_pdf, invoice, invoice_pdf, png, receipt_image, text_pdf

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder; temporary files go to a folder of the test."""
    monkeypatch.setenv("PIPELINE_WORKERS", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "temporary").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def readers() -> list[psutil.Process]:
    """The readers that this process runs; a browser that other tests have left open is none."""
    return [child for child in psutil.Process().children(recursive=True) if is_reader(child)]


def is_reader(process: psutil.Process) -> bool:
    try:
        return any("worker_pool" in argument for argument in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def test_an_invoice_has_typed_values_with_their_places(folder: Path) -> None:
    document = pipeline.read(put(folder, "a.pdf", invoice_pdf(invoice())), template="invoice")
    assert (document.status, document.template, document.path) == ("done", "invoice", folder / "a.pdf")
    assert document["total"] == Decimal("1400.40")
    assert isinstance(document["total"], Decimal)
    assert document["due_date"] == date(2025, 4, 23)
    assert document["invoice_number"] == "EN-20417"
    assert document["prepaid"] is None
    assert document.line_items[1]["quantity"] == Decimal("2.5")
    total = document.fields["total"]
    assert (total.printed, total.page, total.grounding) == ("£1,400.40", 1, "value")
    assert total.box
    assert total.box[0] == pytest.approx(477, abs=1)
    (page,) = document.pages
    assert (page.number, page.status, page.source) == (1, "done", "textlayer")
    assert page.size == pytest.approx((595.3, 841.9), abs=0.1)
    assert page.text
    assert "Harrow Lane Tools Ltd" in page.text
    assert document.text == page.text
    with pytest.raises(KeyError):
        document["colour"]


def test_nothing_is_left_behind_without_an_outbox(folder: Path) -> None:
    put(folder, "a.pdf", text_pdf(["Alpha"]))
    pipeline.read("a.pdf", template="transcript")
    assert [path.name for path in folder.iterdir()] == ["a.pdf"]
    assert list((folder.parent / "temporary").glob("pipeline*")) == []
    assert readers() == []


def test_times_of_a_receipt_are_times_and_scans_have_text(folder: Path) -> None:
    document = pipeline.read(put(folder, "a.png", png(receipt_image())), template="receipt")
    assert document.pages[0].source == "ocr"
    assert document.text.count("\n") > 3
    assert isinstance(document["total"], Decimal)


def test_documents_stream_while_others_are_read(folder: Path) -> None:
    for number in range(6):
        put(folder, f"in/{number}.pdf", text_pdf([f"Page {page}" for page in range(1 + number)]))
    documents = pipeline.read_many(["in"], template="transcript")
    first = next(documents)
    assert readers(), "others are still to be read"
    rest = list(documents)
    assert sorted(len(document.pages) for document in [first, *rest]) == [1, 2, 3, 4, 5, 6]
    assert readers() == []


def test_equal_files_are_documents_of_their_own(folder: Path) -> None:
    put(folder, "a.pdf", text_pdf(["Same"]))
    put(folder, "b.pdf", text_pdf(["Same"]))
    documents = list(pipeline.read_many(["a.pdf", "b.pdf"], template="transcript"))
    assert sorted(document.path.name for document in documents) == ["a.pdf", "b.pdf"]
    assert [document.text for document in documents] == ["Same", "Same"]


def test_every_file_gives_a_document_also_one_that_fails(folder: Path) -> None:
    put(folder, "locked.pdf", encrypted_pdf())
    put(folder, "empty.pdf", b"")
    put(folder, "blank.pdf", blank_pdf(2))
    os.mkfifo(folder / "pipe.pdf")
    put(folder, "secret.pdf", text_pdf(["Alpha"])).chmod(0)
    names = ["locked.pdf", "empty.pdf", "blank.pdf", "pipe.pdf", "secret.pdf"]
    documents = {document.path.name: document for document in pipeline.read_many(names, template="transcript")}
    assert sorted(documents) == sorted(names)
    assert {name: documents[name].reason for name in names[:4]} == {
        "locked.pdf": "needs_password",
        "empty.pdf": "unreadable",
        "blank.pdf": None,
        "pipe.pdf": "unsupported",
    }
    assert [page.status for page in documents["blank.pdf"].pages] == ["blank", "blank"]
    if os.geteuid():  # root reads everything
        assert "Permission denied" in documents["secret.pdf"].detail
    with pytest.raises(pipeline.DocumentError, match=r"locked\.pdf") as failed:
        pipeline.read("locked.pdf", raise_on_failure=True)
    assert failed.value.reason == "needs_password"
    assert readers() == []


def test_pages_above_a_limit_are_named(folder: Path) -> None:
    path = put(folder, "a.pdf", text_pdf(["Alpha", "Beta", "Gamma"]))
    document = pipeline.read(path, template="transcript", settings={"limits": {"pages": 2}})
    assert document.status == "partial"
    assert [(page.status, page.reason) for page in document.pages][-1] == ("skipped", "too_large")
    assert document.pages[2].text is None


def test_mistakes_of_the_call_are_raised_at_once(folder: Path, tmp_path: Path) -> None:
    put(folder, "a.pdf", text_pdf(["Alpha"]))
    with pytest.raises(pipeline.SettingsError, match="no such file"):
        pipeline.read_many(["a.pdf", "b.pdf"])
    with pytest.raises(pipeline.SettingsError, match="is a folder"):
        pipeline.read(folder)
    with pytest.raises(pipeline.SettingsError, match="there is no template `invoce`"):
        pipeline.read_many(["a.pdf"], template="invoce")
    with pytest.raises(pipeline.SettingsError, match=r"limits\.pages"):
        pipeline.read_many(["a.pdf"], settings={"limits": {"pages": -1}})
    with pytest.raises(pipeline.SettingsError, match="no such key"):
        pipeline.read_many(["a.pdf"], settings={"colour": "red"})
    with pytest.raises(pipeline.SettingsError, match="cannot be read"):
        pipeline.read_many(["a.pdf"], config="elsewhere.yaml")
    with pytest.raises(pipeline.EngineUnavailableError):
        pipeline.read_many(["a.pdf"], engine="vlm", model="acme/none")
    put(folder, "own/bad.yaml", b"name: bad\nfield: {}\n")
    with pytest.raises(pipeline.TemplateError, match=r"bad\.yaml:\d"):
        pipeline.read_many(["a.pdf"], settings={"templates": folder / "own"})


def test_an_outbox_holds_the_results_and_gives_them_again(folder: Path) -> None:
    put(folder, "a.pdf", text_pdf(["Alpha", "Beta"]))
    first = pipeline.read("a.pdf", template="transcript", outbox="outbox")
    published = json.loads((folder / "outbox" / "a.pdf.json").read_text(encoding="utf-8"))
    for key in ("checksum", "stays_at"):
        assert published["provenance"].pop(key), "of the file, which the document need not be in"
    assert first.published == published
    again = pipeline.read("a.pdf", template="transcript", outbox="outbox")
    assert again.published == published, "with the times of the first reading"
    assert again["text"] == first["text"]
    assert [page.text for page in again.pages] == [None, None]
    settings = pipeline.load_settings(outbox=folder / "outbox")
    assert pipeline.read("a.pdf", template="transcript", settings=settings).published == published
    with locked(folder / "outbox"), pytest.raises(pipeline.LockedError):
        pipeline.read("a.pdf", outbox="outbox")


def test_a_known_file_that_is_named_twice_gives_one_document(folder: Path) -> None:
    outbox = folder / "outbox"
    (folder / "in").mkdir()
    (folder / "in" / "a.pdf").write_bytes(text_pdf(["Harbour office"]))
    for _ in range(2):
        documents = list(pipeline.read_many([folder / "in", folder / "in" / "a.pdf"], template="transcript", outbox=outbox))
        assert [document.path.name for document in documents] == ["a.pdf"]


def test_a_store_as_outbox_beside_a_settings_object_is_refused(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(text_pdf(["Harbour office"]))
    with pytest.raises(pipeline.PipelineError, match="s3://papers/out"):
        pipeline.read(folder / "a.pdf", settings=Settings(), outbox="s3://papers/out")


def test_a_settings_file_is_used_where_it_is_named(folder: Path) -> None:
    put(folder, "a.pdf", text_pdf(["Alpha", "Beta"]))
    put(folder, "pipeline.yaml", b"limits: {pages: 1}\n")
    assert pipeline.read("a.pdf", template="transcript").status == "done"
    assert pipeline.read("a.pdf", template="transcript", config="pipeline.yaml").status == "partial"
    both = pipeline.read("a.pdf", template="transcript", config="pipeline.yaml", settings={"limits": {"pages": 2}})
    assert both.status == "done"
    with pytest.raises(pipeline.SettingsError, match="both"):
        pipeline.read("a.pdf", config="pipeline.yaml", settings=pipeline.Settings())


def test_a_template_of_ones_own_has_its_types(folder: Path) -> None:
    put(folder, "own/parcel.yaml", b"name: parcel\nprompt: Read it.\nfields:\n  sent: {type: date, labels: {en: [Sent on]}}\n")
    put(folder, "a.pdf", text_pdf(["Parcel\nSent on 3 May 2024"]))
    document = pipeline.read("a.pdf", template="parcel", settings={"templates": folder / "own"})
    assert document["sent"] == date(2024, 5, 3)


def test_a_loop_that_is_left_ends_the_readers(folder: Path) -> None:
    for number in range(40):
        put(folder, f"in/{number:02}.pdf", text_pdf([f"Alpha {number}"] * 3))
    documents = pipeline.read_many(["in"], template="transcript", outbox="outbox")
    for document in documents:
        assert document.status == "done"
        break
    assert readers()
    documents.close()
    assert readers() == []
    assert not [thread for thread in threading.enumerate() if thread.name == "pipeline.read"]
    assert len(list(pipeline.read_many(["in"], template="transcript", outbox="outbox"))) == 40, "the outbox is free again"


def test_an_error_of_the_caller_ends_the_readers(folder: Path) -> None:
    for number in range(10):
        put(folder, f"in/{number}.pdf", text_pdf([f"Alpha {number}"] * 3))

    def fail() -> None:
        for document in pipeline.read_many(["in"], template="transcript"):
            raise ValueError(document.path)

    with pytest.raises(ValueError, match="pdf"):
        fail()
    assert readers() == []


def test_threads_read_at_the_same_time(folder: Path) -> None:
    texts: dict[int, str] = {}

    def work(number: int) -> None:
        path = put(folder, f"{number}.pdf", text_pdf([f"Alpha {number}"]))
        texts[number] = pipeline.read(path, template="transcript").text

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {number: f"Alpha {number}" for number in range(3)}


def run_python(folder: Path, code: str, *, as_script: bool) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(put(folder, "script.py", code.encode()))] if as_script else [sys.executable, "-c", code]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


READ_TWICE = """
import pipeline
print("begin")
for _ in range(2):
    print(pipeline.read("a.pdf", template="transcript").text)
"""


def test_a_script_needs_no_guard_for_its_main_module(folder: Path) -> None:
    put(folder, "a.pdf", text_pdf(["Alpha"]))
    process = run_python(folder, READ_TWICE, as_script=True)
    assert process.communicate(timeout=60) == ("begin\nAlpha\nAlpha\n", "")


def test_a_running_event_loop_is_no_obstacle(folder: Path) -> None:
    """A notebook's kernel runs its cells in such a loop, and its main module is no file."""
    put(folder, "a.pdf", text_pdf(["Alpha"]))
    code = (
        "import asyncio\nasync def cell():\n"
        + "\n".join(f"    {line}" for line in READ_TWICE.splitlines())
        + "\nasyncio.run(cell())"
    )
    process = run_python(folder, code, as_script=False)
    assert process.communicate(timeout=60) == ("begin\nAlpha\nAlpha\n", "")


def test_a_program_that_ends_in_the_middle_leaves_no_process(folder: Path) -> None:
    for number in range(20):
        put(folder, f"in/{number:02}.pdf", text_pdf([f"Alpha {number}"] * 5))
    code = """
import psutil, pipeline
documents = pipeline.read_many(["in"], template="transcript")
print(next(documents).status, *(child.pid for child in psutil.Process().children()), flush=True)
"""
    process = run_python(folder, code, as_script=True)
    out, _ = process.communicate(timeout=60)
    status, *pids = out.split()
    assert (status, process.returncode) == ("done", 0)
    assert pids
    until = time.monotonic() + 10
    while alive := [pid for pid in pids if psutil.pid_exists(int(pid))]:
        assert time.monotonic() < until, alive
        time.sleep(0.05)


def test_importing_the_package_imports_no_library() -> None:
    code = """
import sys
before = set(sys.modules)
import pipeline
heavy = {name.split(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
assert heavy == {"pipeline"}, heavy
assert set(pipeline.__all__) <= set(dir(pipeline))
for name in pipeline.__all__:
    getattr(pipeline, name)
try:
    pipeline.colour
except AttributeError as error:
    assert "colour" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_several_questions_have_an_answer_each_and_none_of_an_earlier_call(folder: Path) -> None:
    put(folder, "a.pdf", text_pdf(["Weight: 12 kg\nDriver: Ann Bell"]))
    pipeline.read("a.pdf", ask="What is the weight?", outbox="outbox")
    questions = ["Who is the driver?", "What is the colour?"]
    for _ in range(2):  # the second time nothing is read
        document = pipeline.read("a.pdf", ask=questions, outbox="outbox")
        assert {question: field.value for question, field in document.answers.items()} == {
            "Who is the driver?": "Ann Bell",
            "What is the colour?": None,
        }
        assert document["answer"] == "Ann Bell"
