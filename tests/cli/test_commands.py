"""The commands as a user meets them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pipeline.settings import Settings, configs_folder, load_settings
from pipeline.words.tesseract import installed_models
from tests.cli.conftest import Pipeline
from tests.drawing import encrypted_pdf, text_pdf

OLD = 1_000_000_000


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (OLD, OLD))
    return path


def read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_init_makes_a_folder_that_runs_and_changes_nothing_the_second_time(pipeline: Pipeline, folder: Path) -> None:
    assert pipeline("init").code == 0
    (folder / "pipeline.yaml").write_text("inbox: inbox\nworkers: 1\n")
    assert "ready already" in pipeline("init").out
    assert (folder / "pipeline.yaml").read_text() == "inbox: inbox\nworkers: 1\n"
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    outcome = pipeline("run", "--template", "transcript")
    assert outcome.code == 0
    assert "a.pdf" in outcome.out
    assert read_json(folder / "outbox" / "a.pdf.json")["status"] == "done"
    again = pipeline("run", "--template", "transcript")
    assert "nothing to do: 1 file up to date" in again.out


def test_a_quiet_run_says_only_what_failed(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    fine = pipeline("run", "--template", "transcript", "--quiet")
    assert (fine.code, fine.out, fine.err) == (0, "", "")
    put(folder, "inbox/cut.pdf", b"%PDF-1.7 cut off")
    failed = pipeline("run", "--template", "transcript", "--quiet")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.startswith("failed: cut.pdf: unreadable: ")
    assert "\n1 document: 1 failed; " in failed.err
    assert "1 of them failed" in pipeline("run", "--template", "transcript").out


def test_a_question_is_reported_with_its_answer(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/a.pdf", text_pdf(["Delivery date: 12 May 2025"]))
    assert pipeline("run", "--ask", "What is the delivery date?").code == 0
    (result,) = read_json(folder / "outbox" / "a.pdf.json")["results"].values()
    assert result["question"] == "What is the delivery date?"
    assert result["fields"]["answer"]["value"] == "12 May 2025"
    assert pipeline("run", "--ask", "").code == 2


def test_questions_are_shown_with_answer_and_place_apart_from_the_template_and_from_older_answers(
    pipeline: Pipeline, folder: Path
) -> None:
    pipeline("init")
    put(folder, "inbox/a.pdf", text_pdf(["Delivery date: 12 May 2025\nDriver: Ann Bell", "Weight: 12 kg"]))
    pipeline("run", "--template", "transcript")
    pipeline("run", "--ask", "What is the delivery date?")
    asked = ("run", "--ask", "Wie lautet das Kennzeichen?", "--ask", "What is the weight?")
    shown = pipeline(*asked)
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "a.pdf Wie lautet das Kennzeichen? nicht auf diesen Seiten" in lines
    assert any(line.startswith("a.pdf What is the weight? 12 kg 2 ") for line in lines)
    assert any(line.startswith("a.pdf transcript done ") for line in lines)
    assert "ask_" not in shown.out
    assert "delivery date?" not in shown.out  # an earlier question
    again = pipeline(*asked, "--json").json
    assert [(item["question"], item["answer"], item["page"]) for item in again["answers"]] == [
        ("Wie lautet das Kennzeichen?", None, None),
        ("What is the weight?", "12 kg", 2),
    ]
    with (folder / "outbox" / "documents.csv").open(encoding="utf-8", newline="") as file:
        assert [row["templates"] for row in csv.DictReader(file)] == ["transcript"]


def test_a_page_that_answers_precedes_one_that_only_mentions_the_words(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/a.pdf", text_pdf(["The gross weight follows.", "Gross weight: 12 kg"]))
    (answer,) = pipeline("run", "--ask", "What is the gross weight?", "--json").json["answers"]
    assert (answer["answer"], answer["page"]) == ("12 kg", 2)


def test_a_document_that_is_not_read_does_not_count_as_one_without_an_answer(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/cut.pdf", b"%PDF-1.7 cut off")
    shown = pipeline("run", "--ask", "What is the weight?").out
    assert "not on this page" not in shown
    assert "unreadable" in shown


def test_own_templates_are_found_beside_the_settings(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    (folder / "pipeline.yaml").write_text("inbox: inbox\noutbox: outbox\n")
    (folder / "templates" / "note.yaml").write_text("name: note\nprompt: x\nfields:\n  subject: {type: text}\n")
    assert any("note" in finding["detail"] for finding in pipeline("doctor", "--json").json if finding["name"] == "templates")


def test_the_settings_file_of_init_holds_some_twenty_keys_with_their_defaults_and_names_the_whole_list(
    pipeline: Pipeline, folder: Path
) -> None:
    pipeline("init")
    settings, defaults = load_settings(folder / "pipeline.yaml", workers=0), Settings(workers=0)
    places = {"inbox", "outbox", "templates"}  # relative to the file
    assert settings.model_dump(exclude=places) == defaults.model_dump(exclude=places)
    assert settings.inbox == folder / "inbox"
    text = (folder / "pipeline.yaml").read_text(encoding="utf-8")
    keys = [
        (section, key)
        for section, value in yaml.safe_load(text).items()
        for key in (value if isinstance(value, dict) else [section])
    ]
    assert 18 <= len(keys) <= 24
    assert str(configs_folder() / "pipeline.yaml") in text


def test_an_old_key_is_named_once_on_standard_error_in_doctor_and_in_the_log(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    (folder / "pipeline.yaml").write_text("retries: 1\n")
    message = "`retries: 1` is now `retry.answer_attempts: 2`"
    assert pipeline("status").err.count(message) == 1
    assert any(message in finding["detail"] for finding in pipeline("doctor", "--json").json if finding["state"] == "note")
    run = pipeline("run", "--log-json")
    lines = [json.loads(line) for line in run.err.splitlines()]
    assert [line["detail"].partition(": ")[2] for line in lines if line["event"] == "setting_renamed"] == [message]


def test_files_on_the_command_line_are_read_where_they_lie(pipeline: Pipeline, folder: Path) -> None:
    path = put(folder, "elsewhere/letter.pdf", text_pdf(["Dear reader"]))
    other = put(folder, "other/letter.pdf", text_pdf(["Another letter"]))
    assert pipeline("run", path, other, "--template", "transcript", "--quiet").code == 0
    texts = sorted(file.read_text(encoding="utf-8") for file in (folder / "outbox").glob("letter.pdf*.json"))
    assert len(texts) == 2
    assert path.exists()


def test_exit_codes(pipeline: Pipeline, folder: Path) -> None:
    assert pipeline("run").code == 2  # no inbox
    pipeline("init")
    put(folder, "inbox/locked.pdf", encrypted_pdf("x", "secret word"))
    failed = pipeline("run", "--template", "transcript")
    assert failed.code == 1
    assert "needs_password" in failed.out
    assert pipeline("run", "--template", "nonsense").code == 2
    assert pipeline("run", "--engine", "nonsense").code == 4
    assert pipeline("run", "--nonsense").code == 2
    assert pipeline("run", folder / "gone.pdf").code == 2
    (folder / "pipeline.yaml").write_text("limts: {}\n")
    wrong = pipeline("run")
    assert wrong.code == 2
    assert "limts" in wrong.err
    assert "did you mean `limits`" in wrong.err
    (folder / "pipeline.yaml").write_text("1: x\n")
    assert pipeline("run").code == 2


def test_a_wrong_environment_is_explained(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_LIMITS__PASSWORDS", "secret")
    outcome = pipeline("run")
    assert (outcome.code, "JSON" in outcome.err) == (2, True)


def test_archives_of_one_name_do_not_meet_and_a_damaged_member_is_a_failure(pipeline: Pipeline, folder: Path) -> None:
    for year in ("2019", "2020"):
        (folder / year).mkdir()
        with zipfile.ZipFile(folder / year / "scans.zip", "w") as pack:
            pack.writestr("a.pdf", text_pdf([f"The year {year}"]))
        assert pipeline("reprocess", folder / year / "scans.zip", "--template", "transcript", "-q").code == 0
    with (folder / "outbox" / "transcript.csv").open(newline="") as file:
        assert sorted(row["text"] for row in csv.DictReader(file)) == ["The year 2019", "The year 2020"]
    broken = folder / "broken.zip"
    with zipfile.ZipFile(broken, "w") as pack:
        pack.writestr("good.pdf", text_pdf(["Good"]))
        pack.writestr("bad.pdf", b"BROKEN" * 99)
    broken.write_bytes(broken.read_bytes().replace(b"BROKEN", b"BRoKEN", 1))
    outcome = pipeline("reprocess", broken, "--template", "transcript", "--json")
    assert outcome.code == 1
    assert [item["file"] for item in outcome.json["left_for_later"]] == ["broken.zip/bad.pdf"]


def test_a_path_in_the_inbox_follows_its_folder_and_twice_is_once(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    path = put(folder, "inbox/transcripts/a.pdf", text_pdf(["Alpha"]))
    outcome = pipeline("run", path, folder / "inbox", "--json")
    assert outcome.json["documents"] == {"done": 1}
    assert read_json(folder / "outbox" / "transcripts" / "a.pdf.json")["results"].keys() == {"transcript"}
    assert pipeline("run", "--json").json["known"] == 1


def test_a_template_with_a_mistake_stops_the_run_with_file_and_line(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    (folder / "templates" / "note.yaml").write_text("name: note\nprompt: x\nfields:\n  number: {type: identifer}\n")
    outcome = pipeline("run")
    assert outcome.code == 2
    assert "note.yaml:4" in outcome.err
    assert "identifier" in outcome.err


def test_status_lists_failures_with_their_cure(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    assert pipeline("status").code == 0
    put(folder, "inbox/locked.pdf", encrypted_pdf("x", "secret word"))
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    pipeline("run", "--template", "transcript", "-q")
    status = pipeline("status", "--json").json
    assert status["documents"] == {"done": 1, "failed": 1}
    assert status["failures"][0]["reason"] == "needs_password"
    assert "`pipeline unlock locked.pdf`" in status["failures"][0]["cure"]
    assert "locked.pdf" in pipeline("status").out


def test_reprocess_failed_takes_only_what_failed(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/locked.pdf", encrypted_pdf("Sealed letter", "secret word"))
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    pipeline("run", "--template", "transcript", "-q")
    before = (folder / "outbox" / "a.pdf.json").stat().st_mtime_ns
    (folder / "pipeline.yaml").write_text("inbox: inbox\noutbox: outbox\nlimits: {passwords: [secret word]}\n")
    outcome = pipeline("reprocess", "--failed", "--template", "transcript", "--json")
    assert (outcome.code, outcome.json["documents"]) == (0, {"done": 1})
    assert read_json(folder / "outbox" / "locked.pdf.json")["status"] == "done"
    assert (folder / "outbox" / "a.pdf.json").stat().st_mtime_ns == before
    with (folder / "outbox" / "transcript.csv").open(newline="") as file:
        assert {row["file"]: row["status"] for row in csv.DictReader(file)} == {"a.pdf": "done", "locked.pdf": "done"}


def test_reprocess_by_path_reads_again_and_keeps_one_row(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    path = put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    put(folder, "inbox/b.pdf", text_pdf(["Beta"]))
    pipeline("run", "--template", "transcript", "-q")
    assert pipeline("reprocess", path, "--template", "transcript", "--json").json["documents"] == {"done": 1}
    assert pipeline("reprocess", "--older-than", "1h", "--json").json["documents"] == {}
    assert pipeline("reprocess", "--read-with", "transcript", "--template", "transcript", "--json").json["documents"] == {
        "done": 2
    }
    with (folder / "outbox" / "transcript.csv").open(newline="") as file:
        assert sorted(row["file"] for row in csv.DictReader(file)) == ["a.pdf", "b.pdf"]


def test_archives_are_read_like_folders(pipeline: Pipeline, folder: Path) -> None:
    with zipfile.ZipFile(folder / "old.zip", "w") as pack:
        pack.writestr("2023/a.pdf", text_pdf(["Alpha"]))
        pack.writestr("../evil.pdf", text_pdf(["Evil"]))
    put(folder, "x/b.pdf", text_pdf(["Beta"]))
    with tarfile.open(folder / "old.tar.gz", "w:gz") as archive:
        archive.add(folder / "x" / "b.pdf", "b.pdf")
    outcome = pipeline("reprocess", folder / "old.zip", folder / "old.tar.gz", "--template", "transcript", "--json")
    assert outcome.json["documents"] == {"done": 2}
    assert [item["file"] for item in outcome.json["left_for_later"]] == ["old.zip/../evil.pdf"]
    assert read_json(folder / "outbox" / "old.zip" / "2023" / "a.pdf.json")["status"] == "done"
    assert read_json(folder / "outbox" / "old.tar.gz" / "b.pdf.json")["status"] == "done"


def test_export_brings_back_everything_that_was_deleted_or_changed(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/sub/a.pdf", text_pdf(["Alpha", "Second"]))
    put(folder, "inbox/locked.pdf", encrypted_pdf("x", "secret word"))
    pipeline("run", "--template", "transcript", "-q")
    outbox = folder / "outbox"
    files = [outbox / "sub" / "a.pdf.json", outbox / "locked.pdf.json", outbox / "transcript.csv", outbox / "documents.csv"]
    before = [file.read_bytes() for file in files]
    files[0].unlink()
    files[2].write_text("nonsense")
    assert pipeline("export").code == 0
    assert [file.read_bytes() for file in files] == before
    assert pipeline("export", "--format", "parquet", "--format", "jsonl", "--to", folder / "out").code == 0
    frame = pd.read_parquet(folder / "out" / "transcript.parquet")
    assert set(frame["file"]) == {"sub/a.pdf", "locked.pdf"}
    lines = (folder / "out" / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["document"]["path"] for line in lines] == ["locked.pdf", "sub/a.pdf"]


def test_doctor_says_what_is_wrong_and_what_to_do(pipeline: Pipeline, folder: Path) -> None:
    missing = pipeline("doctor")
    assert missing.code == 2
    assert "pipeline init" in missing.out
    pipeline("init")
    assert pipeline("doctor").code == 0
    assert pipeline("doctor", "--engine", "nonsense").code == 4
    names = {finding["name"] for finding in pipeline("doctor", "--json").json}
    assert {"cpu", "memory", "engine", "inbox", "ocr", "outbox", "templates"} <= names
    (folder / "pipeline.yaml").write_text("inbox: inbox\noutbox: .\n")
    nested = pipeline("doctor")
    assert nested.code == 2
    assert "lies in `outbox`" in nested.out


@pytest.mark.parametrize(("models", "without"), [("ara", True), ("ara\nfas", False)])
def test_doctor_says_that_persian_is_missing_beside_arabic(
    pipeline: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch, models: str, without: bool
) -> None:
    pipeline("init")
    program = put(folder, "bin/tesseract", f"#!/bin/sh\necho 'List of languages:\n{models}'\n".encode())
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PIPELINE_OCR__LANGUAGES", '["ar", "fa"]')
    installed_models.cache_clear()
    scripts = next(finding for finding in pipeline("doctor", "--json").json if finding["name"] == "scripts")
    installed_models.cache_clear()
    assert ("without the model fas" in scripts["detail"], "tesseract-ocr-fas" in scripts["cure"]) == (without, without)
    assert "not read" not in scripts["detail"]


def test_doctor_leaves_a_precision_to_the_cluster_that_this_machine_cannot_do(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline("init")
    monkeypatch.setenv("PIPELINE_OCR__PRECISION", "bfloat16")
    monkeypatch.setenv("PIPELINE_LIMITS__MEMORY_MB", "4000")  # too little for it on any processor

    def ocr() -> dict[str, str]:
        return next(finding for finding in pipeline("doctor", "--json").json if finding["name"] == "ocr")

    assert ocr()["state"] == "wrong"
    monkeypatch.setenv("PIPELINE_EXECUTOR", "ray")
    assert ocr()["state"] == "note"
    assert "machines of the cluster" in ocr()["detail"]


def test_help_is_there_for_every_command_and_imports_no_heavy_library() -> None:
    from pipeline.cli.commands import COMMANDS

    script = "import sys; from pipeline.cli.main import main\ntry: main()\nexcept SystemExit: pass\n"
    script += "print([m for m in ('torch', 'pandas', 'cv2', 'pymupdf', 'onnxruntime') if m in sys.modules], file=sys.stderr)"
    for name in ((), ("status",), *((name,) for name in COMMANDS)):
        outcome = subprocess.run([sys.executable, "-c", script, *name, "--help"], capture_output=True, text=True, check=True)
        assert "Usage: " in outcome.stdout
        if name in ((), ("status",)):
            assert outcome.stderr.strip() == "[]"


def test_reprocess_rereads_everything_only_when_told_so(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/a.pdf", text_pdf(["Alpha", "second page"]))
    put(folder, "inbox/b.pdf", text_pdf(["Beta"]))
    pipeline("run", "--template", "transcript", "-q")
    before = (folder / "outbox" / "a.pdf.json").stat().st_mtime_ns
    refused = pipeline("reprocess", "--template", "transcript")
    assert (refused.code, "--all" in refused.err) == (2, True)
    assert pipeline("reprocess", "--all", "--failed").code == 2
    listed = pipeline("reprocess", "--all", "--dry-run", "--json")
    assert (listed.code, listed.json) == (0, {"documents": 2, "pages": 3, "files": ["a.pdf", "b.pdf"]})
    assert "would read 1 document, 1 page" in pipeline("reprocess", folder / "inbox/b.pdf", "--dry-run").out
    assert (folder / "outbox" / "a.pdf.json").stat().st_mtime_ns == before
    assert pipeline("run", "--template", "transcript", "--json").json["documents"] == {}, "a dry run marks nothing"
    stopped = pipeline("reprocess", "--all", "--max-minutes", "0.0000001", "--template", "transcript", "--json")
    assert (stopped.code, stopped.json["documents"]) == (1, {})
    assert pipeline("run", "--template", "transcript", "--json").json["documents"] == {"done": 2}, "what was left is read"
