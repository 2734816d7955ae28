"""Sources and notes below a chart."""

from __future__ import annotations

from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.titles import find_notes


def notes(*lines: str) -> list[str]:
    """The notes of a picture with these lines of text, from the top to the bottom."""
    labels = [
        ChartLabel(text, (10.0, 20.0 * n, 10.0 + 6 * len(text), 20.0 * n + 10), (n,), None) for n, text in enumerate(lines)
    ]
    return [label.text for label in find_notes(labels, 20.0 * len(lines))]


ANSWERS = ("Opinions of the new timetable, by the age of the passengers", "Useful", "Very useful", "Not useful", "No answer")


def test_a_word_for_a_note_in_another_language_begins_none() -> None:
    assert notes(*ANSWERS) == []
    assert notes(*ANSWERS, "Source: Council survey", "All answers") == ["Source: Council survey", "All answers"]


def test_a_word_for_a_note_counts_in_the_pictures_language_and_with_a_mark_in_any() -> None:
    turkish = ("Yıllara göre toplam gelir ve ödenen vergi", "Gelir", "Vergi", "Toplam", "Fatura", "Not Geçici veriler")
    assert notes(*turkish) == ["Not Geçici veriler"]
    assert notes(*ANSWERS, "Kaynak: TÜİK") == ["Kaynak: TÜİK"]
