from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import TemplateError
from pipeline.templates.digest import digest
from pipeline.templates.prompt_rendering import render_prompt
from pipeline.templates.question_template import MAX_CHARACTERS, ask_template


@pytest.mark.parametrize(
    ("question", "labels"),
    [
        ("What is the delivery date?", ["delivery date", "delivery", "date"]),
        ("Who is the driver of the truck?", ["driver", "truck"]),
        ("Wie lautet die Kundennummer?", ["Kundennummer"]),
        ("Quelle est la date de l'échéance ?", ["échéance", "date"]),
        ("¿Cuál es el número de pedido?", ["número", "pedido"]),
        ("Qual è la partita IVA?", ["partita IVA", "partita"]),
        ("Jaki jest numer zamówienia?", ["numer zamówienia", "numer", "zamówienia"]),
        ("发票号码是多少？", ["发票号码"]),
    ],
)
def test_labels_are_the_content_words_of_the_question(question: str, labels: list[str]) -> None:
    assert ask_template(question).fields["answer"].labels["en"] == labels


def test_questions_are_recipes_of_their_own() -> None:
    first, same, other = (ask_template(text) for text in ("What is due?", "  What is\n due? ", "What was due?"))
    assert first == same
    assert first.name != other.name
    assert digest(first) != digest(other)


@given(st.text(min_size=1, max_size=MAX_CHARACTERS).filter(str.strip))
def test_any_question_is_quoted_as_it_is(question: str) -> None:
    template = ask_template(question)
    assert template.fields["answer"].description in render_prompt(template, words="w", page=1, pages=1)


def test_braces_in_a_question_are_never_code() -> None:
    prompt = render_prompt(ask_template("What is {{ 7 * 191 }}?"), words="{{ words }}", page=1, pages=1)
    assert "The question: What is {{ 7 * 191 }}?" in prompt
    assert "\n{{ words }}\n" in prompt
    assert "1337" not in prompt


@pytest.mark.parametrize("question", ["", " \n ", "x" * (MAX_CHARACTERS + 1)])
def test_empty_and_too_long_questions_are_refused(question: str) -> None:
    with pytest.raises(TemplateError):
        ask_template(question)


def test_a_follow_up_question_carries_the_previous_ones_with_their_answers() -> None:
    earlier = [("Who sells?", 'Harrow "Lane" {{ 7 * 7 }}'), ("When is it due?", None)]
    template = ask_template("And how much is it?", earlier)
    prompt = render_prompt(template, words="w", page=1, pages=1)
    order = [
        prompt.index(part)
        for part in ("Who sells?", '"Harrow \\"Lane\\" {{ 7 * 7 }}"', "When is it due?", "does not say", "how much")
    ]
    assert order == sorted(order)
    assert template.name != ask_template("And how much is it?").name
    assert template.description == "And how much is it?"


def test_a_question_without_content_words_has_the_labels_of_the_previous_one() -> None:
    template = ask_template("And where?", [("What is the delivery date?", "2025-01-01")])
    assert template.fields["answer"].labels["en"][0] == "delivery date"


def test_a_long_conversation_is_cut() -> None:
    template = ask_template("And now?", [(f"Question {number}?", "x" * 10_000) for number in range(100)])
    assert len(template.fields["answer"].description) < 10_000
    assert "Question 99?" in template.fields["answer"].description
    assert "Question 1?" not in template.fields["answer"].description
