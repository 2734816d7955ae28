"""Which library holds answers to a schema: llguidance, xgrammar and outlines-core side by side, on the schemas of the built-in templates.

    python -m benchmarks.constraints TOKENIZER_FOLDER

Prints for each library and template: seconds until the first mask, milliseconds for each further mask, and how many of an example
answer's tokens the library says are forced. Libraries that are not
installed are left out (`pip install llguidance xgrammar outlines-core`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.engines.prompting import is_text
from pipeline.run.job import all_templates
from pipeline.settings import Settings
from pipeline.templates.answer_schema import json_schema
from pipeline.templates.template import Column, Template, TemplateField

VALUES = {"money": "1234.50", "number": "12", "date": "2025-03-12", "time": "09:42", "currency": "EUR"}
STYLE: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


@dataclass
class Score:
    """What one library did with one schema."""

    compiled: float
    masks: list[float]
    forced: int = 0


def example(template: Template) -> str:
    """An answer with a value in every field and two rows in every table."""
    return json.dumps({name: _value(field) for name, field in template.fields.items()})


def _value(field: TemplateField) -> Any:
    if field.type == "table":
        return [{name: _cell(column) for name, column in field.columns.items()}] * 2
    one = field.values[0] if field.values else _cell(field)
    return [one] if field.many else one


def _cell(field: TemplateField | Column) -> str:
    return VALUES.get(field.type, "Some words as printed")


def llguidance(tokenizer: Any, schema: dict[str, Any], tokens: list[int]) -> Score:
    """Masks by LLMatcher; forced tokens are counted where the library tells them."""
    from llguidance import LLMatcher
    from llguidance.hf import from_tokenizer

    known = _once("llguidance", lambda: from_tokenizer(tokenizer))
    started = time.perf_counter()
    matcher = LLMatcher(known, LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=STYLE))
    matcher.compute_bitmask()
    score = Score(time.perf_counter() - started, [])
    waiting: list[int] = []
    for token in tokens:
        if not waiting:
            waiting = list(matcher.compute_ff_tokens())
            score.forced += len(waiting)
        if waiting:
            waiting.pop(0)
        else:
            start = time.perf_counter()
            matcher.compute_bitmask()
            score.masks.append(time.perf_counter() - start)
        if not matcher.consume_token(token):
            raise ValueError(f"refuses {tokenizer.decode([token])!r}")
    return score


def xgrammar(tokenizer: Any, schema: dict[str, Any], tokens: list[int]) -> Score:
    """Masks by GrammarMatcher; it tells forced text, not forced tokens."""
    import xgrammar as library

    compiler = _once(
        "xgrammar",
        lambda: library.GrammarCompiler(library.TokenizerInfo.from_huggingface(tokenizer), max_threads=2, cache_enabled=False),
    )
    started = time.perf_counter()
    compiled = compiler.compile_json_schema(json.dumps(schema), any_whitespace=False, separators=(", ", ": "))
    matcher = library.GrammarMatcher(compiled)
    mask = library.allocate_token_bitmask(1, len(tokenizer))
    matcher.fill_next_token_bitmask(mask)
    score = Score(time.perf_counter() - started, [])
    for token in tokens:
        start = time.perf_counter()
        matcher.fill_next_token_bitmask(mask)
        score.masks.append(time.perf_counter() - start)
        if not matcher.accept_token(token):
            raise ValueError(f"refuses {tokenizer.decode([token])!r}")
    return score


def outlines_core(tokenizer: Any, schema: dict[str, Any], tokens: list[int]) -> Score:
    """Masks from an Index over the schema's regular expression."""
    from outlines_core import Guide, Index, Vocabulary
    from outlines_core.json_schema import build_regex_from_schema

    def vocabulary() -> Any:
        table: dict[str, list[int]] = {}
        for number in range(len(tokenizer)):
            if number != tokenizer.eos_token_id:
                table.setdefault(tokenizer.decode([number]), []).append(number)
        return Vocabulary(tokenizer.eos_token_id, table)

    known = _once("outlines", vocabulary)
    started = time.perf_counter()
    guide = Guide(Index(build_regex_from_schema(json.dumps(schema), None), known))
    guide.get_tokens()
    score = Score(time.perf_counter() - started, [])
    for token in tokens:
        start = time.perf_counter()
        guide.get_tokens()
        score.masks.append(time.perf_counter() - start)
        guide.advance(token)
    return score


_made: dict[str, Any] = {}


def _once(name: str, make: Callable[[], Any]) -> Any:
    if name not in _made:
        _made[name] = make()
    return _made[name]


LIBRARIES = {"llguidance": llguidance, "xgrammar": xgrammar, "outlines-core": outlines_core}
PATIENCE = 60.0
"""Seconds for one library and template: some compile for longer than anybody would wait."""


def measured(folder: str, library: str, name: str) -> str:
    """One line about one library and template."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    template = all_templates(Settings())[name]
    tokens = tokenizer(example(template), add_special_tokens=False)["input_ids"]
    try:
        score = LIBRARIES[library](tokenizer, json_schema(template), tokens)
    except ImportError:
        return "not installed"
    except Exception as error:  # a library may refuse a schema in any way it likes
        return f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"
    mean = 1000 * sum(score.masks) / max(1, len(score.masks))
    return (
        f"ready in {score.compiled:7.3f} s, {mean:6.3f} ms a mask (worst {1000 * max(score.masks):6.2f}), "
        f"{score.forced} of {len(tokens)} tokens forced"
    )


def main(folder: str) -> None:
    """Every library and template in a process of its own, which is killed when it takes too long."""
    for name, template in all_templates(Settings()).items():
        for library in LIBRARIES if not is_text(template) else ():
            command = [sys.executable, "-m", "benchmarks.constraints", folder, library, name]
            try:
                output = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False).stdout.strip()
            except subprocess.TimeoutExpired:
                output = f"not ready after {PATIENCE:g} s"
            print(f"{name:10} {library:14} {output.splitlines()[-1] if output else 'crashed'}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(measured(*sys.argv[1:]))
    else:
        main(sys.argv[1])
