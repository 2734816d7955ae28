from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DocumentError, TemplateError
from pipeline.templates.prompt_rendering import MAX_CHARACTERS, render_prompt
from pipeline.templates.template import Template, TemplateField


def template(prompt: str) -> Template:
    return Template(name="t", prompt=prompt, fields={"total": TemplateField(type="money", description="What is due.")})


def test_the_prompt_names_page_fields_and_words(note: Template) -> None:
    text = render_prompt(note, words="Two pallets", page=2, pages=3)
    assert text.startswith("Page 2 of 3.\nnumber: The number of the delivery note.\n")
    assert text.endswith("\nTwo pallets")


@given(st.text(max_size=200))
def test_the_words_of_a_page_stand_in_the_prompt_unchanged(words: str) -> None:
    assert render_prompt(template("<{{ words }}>"), words=words, page=1, pages=1) == f"<{words}>"


@pytest.mark.parametrize(
    "words", ["{{ fields }}", "{% for x in range(9) %}x{% endfor %}", "{{ ''.__class__ }}", "{# gone #}", "&<>"]
)
def test_braces_in_a_document_are_never_code(words: str) -> None:
    assert render_prompt(template("{{ words }}"), words=words, page=1, pages=1) == words


@pytest.mark.parametrize(
    "prompt",
    [
        "{{ fields.total.__class__.__mro__ }}",
        "{{ words.__init__.__globals__ }}",
        "{% include '/etc/passwd' %}",
        "{{ fields.update({'x': 1}) }}",
        "{{ missing }}",
        "{{ fields.nothing }}",
    ],
)
def test_the_sandbox_refuses_dangerous_code(prompt: str) -> None:
    with pytest.raises(TemplateError, match="cannot be rendered"):
        render_prompt(template(prompt), words="", page=1, pages=1)


def test_a_page_too_long_for_a_prompt_is_the_documents_failure() -> None:
    with pytest.raises(DocumentError, match="longer than") as caught:
        render_prompt(template("{{ words }}"), words="x" * (MAX_CHARACTERS + 1), page=1, pages=1)
    assert caught.value.reason == "too_large"
