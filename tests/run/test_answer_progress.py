"""What of an answer can be followed while a model writes it, also over the socket of the reading process."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

from pipeline.run.answer_progress import MAX_WRITTEN, AnswerProgress
from pipeline.run.chat_server import chat_server
from pipeline.run.job import open_job
from pipeline.settings import Settings
from pipeline.templates.question_template import ask_template

QUESTION = ask_template("Who wrote this?")


def test_only_the_answer_of_what_a_model_writes_is_followed() -> None:
    progress = AnswerProgress()
    assert progress.next_text(7, None, 0) is None
    progress.begin(7)
    texts = []
    for written in (
        "",
        "{",
        '{"answer": nu',
        '{"answer": "Har',
        '{"answer": "Har\\n\\u00',
        '{"answer": "Harrow"}',
        "no JSON",
        "[" * 900,
    ):
        progress.write(7, QUESTION, written)
        texts.append(progress.next_text(7, None, 0))
    assert texts == ["", "", "", "Har", "Har", "Harrow", "", ""]
    progress.write(7, QUESTION, '{"answer": "' + "x" * MAX_WRITTEN)
    assert progress.next_text(7, None, 0) == ""
    progress.end(7)
    progress.write(7, QUESTION, '{"answer": "late"}')
    assert progress.next_text(7, "", 0) is None, "the order is closed"


def test_an_answer_is_followed_over_the_socket_until_its_order_is_closed(tmp_path: Path) -> None:
    progress = AnswerProgress()
    (tmp_path / "inbox").mkdir()
    settings = Settings(inbox=tmp_path / "inbox", outbox=tmp_path / "outbox", engine="embedded", workers=1)
    path = tmp_path / "socket"
    with open_job(settings) as job, chat_server(path, job, progress), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        connection.sendall(b'{"ask": "answer", "order": 3}\n')
        lines = connection.makefile("rb")
        threading.Timer(0.6, progress.begin, [3]).start()  # the question is asked before the engine gets it
        assert json.loads(lines.readline()) == {"text": ""}
        progress.write(3, QUESTION, '{"answer": "Har')
        assert json.loads(lines.readline()) == {"text": "Har"}
        progress.write(4, QUESTION, '{"answer": "another')
        progress.end(3)
        assert json.loads(lines.readline()) == {"end": {}}
        assert lines.readline() == b""
