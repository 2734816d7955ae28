from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import TemplateError
from pipeline.templates.load import load_template, load_templates, parse_template
from pipeline.templates.template import Template

SMALL = "name: {name}\nprompt: Read.\nfields:\n  total: {{type: money}}\n"


def mistakes(text: str) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        parse_template(text, "t.yaml")
    return str(caught.value.message).split("\n")


def replace_text(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), start=1) if part in line)


def test_a_whole_template_is_read(note: Template) -> None:
    assert note.name == "delivery_note"
    assert list(note.fields) == ["number", "delivered", "ordered", "goods_value", "carrier", "stops", "items"]
    assert note.fields["stops"].many is True
    assert note.fields["goods_value"].many is False
    assert note.checks[0].tolerance == "0.01"
    assert note.applies.files == ["delivery/**"]


def test_words_that_yaml_takes_for_switches_stay_words(note: Template) -> None:
    assert note.fields["number"].labels["no"] == ["No", "Nr."]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("labels:", "lables:", "unknown key `lables`, did you mean `labels`?"),
        ("type: identifier", "type: identifer", "unknown type `identifer`, did you mean `identifier`?"),
        ("kinds: [text]", "kinds: [recipt]", "unknown kind `recipt`, did you mean `receipt`?"),
        ("equals: goods_value", "equals: good_value", "check `value` names the field `good_value`, did you mean `goods_value`"),
        ("sum: [items.value]", "sum: [-items.vlue]", "check `value` names the field `items.vlue`, did you mean `items.value`?"),
        ("order: [ordered", "order: [carrier", "check `in_order` names `carrier`, which is of type enum: it needs date"),
        ("sum: [items.value]", "sum: [number]", "check `value` names `number`, which is of type identifier"),
        ("      description: {}", "      description: {einvoice: BT_3}", "`BT_3` is no business term of EN 16931"),
        ("    type: table", "    type: table\n    einvoice: BT-25", "a table holds a `BG-` term, not `BT-25`"),
        ("no: [No, Nr.]", "nor: [No, Nr.]", "`nor` is not a language: write its two letters, such as `en`"),
        ("en: [Delivery note no.]", "en: Delivery", "`fields.number.labels.en` must be a list, e.g. `[Delivery]`"),
        ("name: delivery_note", "name: Delivery Note", "`Delivery Note` is not a name: lower-case letters"),
        ("name: delivery_note", "name: documents", "the name `documents` is taken by the outbox: choose another"),
        ("delivered: {type: date}", "delivered: {}", "`fields.delivered` has no `type`"),
        ("delivered: {type: date}", "delivered:", "`fields.delivered` is empty"),
        ("values: [own, post]", "values: []", "`fields.carrier`: an enum needs `values`: the list of its choices"),
        ("delivered: {type: date}", "delivered: {type: date, deduction: true}", "`fields.delivered`: only one amount of type money"),
        ("tolerance: 0.01", "tolerance: small", "`small` is no amount: write it as `0.02`"),
        ("  {{ words }}", "  {{ word }}", "prompt: unknown variable `word`, did you mean `words`?"),
        ("{{ field.description }}", "{{ field.descripton }}", "prompt: a field has no `descripton`, did you mean"),
        ("  {{ words }}", "  {{ fields.numbr }}", "prompt: there is no field `numbr`, did you mean `number`?"),
        ("  {{ words }}", "  {{ words | uper }}", "prompt: No filter named 'uper'."),
        ("  {% endfor %}", "  {% endfo %}", "prompt: Encountered unknown tag 'endfo'."),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line_and_a_suggestion(note_text: str, old: str, new: str, expected: str) -> None:
    text = replace_text(note_text, old, new)
    line = line_of(text, new.split("\n")[-1])
    assert [mistake for mistake in mistakes(text) if mistake.startswith(f"t.yaml:{line}: {expected}")]


def test_a_repeated_key_is_refused(note_text: str) -> None:
    text = replace_text(note_text, "  ordered: {type: date}", "  number: {type: date}")
    first = line_of(text, "  number:")
    assert f"t.yaml:{first + 7}: `number` is already on line {first}: a key may stand only once" in mistakes(text)


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(note_text: str) -> None:
    text = note_text
    for old, new in [
        ("labels:", "lables:"),
        ("{{ words }}", "{{ wrds }}"),
        ("equals: goods_value", "equals: goods"),
        ("post]", "]"),
    ]:
        text = replace_text(text, old, new)
    reports = mistakes(text)
    assert [line.split(": ")[1].split(" ")[0] for line in reports] == ["prompt", "unknown", "check"]
    lines = [int(line.split(":")[1]) for line in reports]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\nfields: [1, 2\n", "YAML syntax"),
        ("name: a\n\tprompt: b\n", "t.yaml:2: YAML syntax"),
        ("name: &x a\nprompt: *x\n", "t.yaml:2: aliases (`*x`) are not supported"),
        ("name: !!python/object/apply:os.getcwd []\n", "t.yaml:1: the YAML tag"),
        ("name: a\n---\nname: b\n", "YAML syntax"),
        ("a: \x00", "YAML syntax"),
        ("", "`name` is missing"),
        ("- a\n- b\n", "a template must hold keys"),
        ("[" * 5000, "nested too deeply"),
        ("# " + "x" * 300_000, "larger than 256 KB"),
        ("name: a\nprompt: b\nfields: {}\n", "t.yaml:3: `fields` is empty"),
        ("? [a]\n: b\n", "a key must be a plain word"),
    ],
)
def test_files_that_are_no_templates(text: str, expected: str) -> None:
    assert expected in "\n".join(mistakes(text))


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
    )
    assert mistakes(bomb)[0].startswith("t.yaml:2: aliases")


def test_a_prompt_in_quotes_keeps_its_lines() -> None:
    text = 'name: q\nprompt: "{{ wors }}"\nfields: {a: {type: text}}\n'
    assert mistakes(text) == ["t.yaml:2: prompt: unknown variable `wors`, did you mean `words`?"]


def test_a_prompt_that_never_ends_is_refused() -> None:
    text = "name: q\nprompt: '{% for n in range(90000) %}{{ n }} {{ n }}{% endfor %}'\nfields: {a: {type: text}}\n"
    assert "longer than" in mistakes(text)[0]


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_damaged_files_are_reported_never_a_crash(rng: random.Random) -> None:
    from tests.templates.conftest import DELIVERY_NOTE

    characters = list(DELIVERY_NOTE)
    for _ in range(rng.randint(1, 8)):
        position = rng.randrange(len(characters))
        characters[position] = rng.choice(
            ["", " ", ":", "{", "}", "[", "\t", "\n", "é", "&", "*", "!", "%", "'", '"', "-", "9"]
        )
    try:
        parse_template("".join(characters), "t.yaml")
        reported = ["t.yaml: nothing"]
    except TemplateError as error:
        reported = error.message.split("\n")
    assert all(line.startswith("t.yaml:") for line in reported)


def test_later_folders_replace_and_come_first(tmp_path: Path) -> None:
    built_in, own = tmp_path / "built_in", tmp_path / "own"
    for folder, name, file in [(built_in, "a", "a"), (built_in, "b", "b"), (own, "b", "mine"), (own, "z", "z")]:
        folder.mkdir(exist_ok=True)
        (folder / f"{file}.yaml").write_text(f"description: {folder.name}\n" + SMALL.format(name=name), "utf-8")
    (own / "notes.txt").write_text("not a template", "utf-8")
    (own / ".hidden.yaml").write_text("neither", "utf-8")
    loaded = load_templates([built_in, own])
    assert list(loaded) == ["b", "z", "a"]
    assert loaded["b"].description == "own"
    assert loaded["a"].description == "built_in"


def test_two_files_of_one_name_in_a_folder_are_refused(tmp_path: Path) -> None:
    for file in ("one.yaml", "two.yml"):
        (tmp_path / file).write_text(SMALL.format(name="same"), "utf-8")
    with pytest.raises(TemplateError, match=r"two\.yml:1: the template `same` is already in one\.yaml"):
        load_templates([tmp_path])


def test_the_mistakes_of_all_files_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("nme: a\n", "utf-8")
    (tmp_path / "b.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(TemplateError) as caught:
        load_templates([tmp_path, tmp_path / "missing"])
    message = caught.value.message
    assert f"{tmp_path / 'a.yaml'}:1: unknown key `nme`, did you mean `name`?" in message
    assert "b.yaml:1: not UTF-8" in message
    assert "missing: there is no such folder" in message


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.format(name="bom").encode())
    assert load_template(path).name == "bom"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"none\.yaml:1: cannot be read"):
        load_template(tmp_path / "none.yaml")
