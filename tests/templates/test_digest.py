from __future__ import annotations

import pytest

from pipeline.templates.digest import digest
from pipeline.templates.load import parse_template

TEXT = """\
name: note
prompt: Read {{ words }}
fields:
  number: {type: identifier, description: The number}
  date: {type: date}
"""


def digest_of(text: str) -> str:
    return digest(parse_template(text, "t.yaml"))


def test_the_digest_is_the_same_on_every_machine() -> None:
    assert digest_of(TEXT) == "43e01e297aeb40d4"


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\n" + TEXT,
        TEXT + "for: {files: ['notes/**'], kinds: [text]}\n",
        TEXT.replace("{type: identifier, description: The number}", "{description: The number, type: identifier}"),
        "fields:" + TEXT.split("fields:")[1] + "prompt: Read {{ words }}\nname: note\n",
        TEXT.replace("date: {type: date}", "date: {type: date, merge: first, many: false}"),
    ],
    ids=["comment", "for", "order of a field's keys", "order of the template's keys", "defaults written out"],
)
def test_what_changes_no_answer_changes_nothing(text: str) -> None:
    assert digest_of(text) == digest_of(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("Read", "Please read"),
        TEXT.replace("The number", "Its number"),
        TEXT.replace("date: {type: date}", "date: {type: date, labels: {en: [Date]}}"),
        TEXT.replace("date: {type: date}", "date: {type: date, merge: last}"),
        TEXT + "image: {tokens: 640}\n",
        TEXT.split("  number")[0] + "  date: {type: date}\n  number: {type: identifier, description: The number}\n",
    ],
    ids=["prompt", "description", "labels", "merge", "image", "order of the fields"],
)
def test_what_changes_an_answer_changes_the_digest(text: str) -> None:
    assert digest_of(text) != digest_of(TEXT)
