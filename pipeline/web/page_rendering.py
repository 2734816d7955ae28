"""Renders the HTML pages of the server: templates of Jinja, which escapes every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.web.interface_files import FOLDER
from pipeline.web.page_languages import (
    LANGUAGES,
    TranslatedWords,
    date_text,
    duration_text,
    field_name,
    number_text,
    page_language,
    read_date_text,
    script_texts,
    translations,
)
from pipeline.web.view import value_text

_FOLDER = Path(__file__).parent
STATE_TEXTS = {
    **{name: name for name in ("waiting", "done", "partial", "failed", "skipped", "new", "approved", "exported", "unreadable")},
    "to_check": "to check",
    "needs_password": "needs a password",
    "zero_pages": "without a page",
    "unsupported": "unsupported",
    "too_large": "too large",
    "too_slow": "too slow",
    "timeout": "out of time",
    "engine": "no answer of the engine",
}
"""Statuses, states and reasons in words, which the catalogue of the scripts translates."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([_FOLDER / "html", FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.filters["day"] = date_text
    environment.filters["read_day"] = read_date_text
    environment.filters["number"] = number_text
    environment.filters["field_name"] = field_name
    environment.filters["state_text"] = state_text
    environment.filters["value_text"] = value_text
    environment.filters["duration"] = duration_text
    environment.filters["code_markup"] = code_markup
    environment.globals["page_style"] = lambda: Markup((_FOLDER / "serve.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return environment


def render(request: Request, template: str, values: Mapping[str, Any], *, status: int = 200) -> Response:
    """A page in the language of the person. ``person`` is who sends the request; None for a stranger."""
    person, language = getattr(request.state, "person", None), request_language(request)
    texts = translations(language)
    page = _environment().get_template(template)
    text = page.render(
        nonce=request.state.nonce,
        person=person,
        language=language,
        languages=LANGUAGES,
        gettext=_escaping(texts.gettext),
        ngettext=_escaping_plural(texts.ngettext),
        **values,
    )
    headers = {"content-language": language, "vary": "accept-language, cookie"}
    return Response(text.encode(errors="replace"), status, headers, media_type="text/html; charset=utf-8")


def request_language(request: Request) -> str:
    """The code of the language in which a request is answered."""
    person = getattr(request.state, "person", None)
    return page_language(request.headers.get("accept-language", ""), person.language if person else "")


def request_words(request: Request) -> TranslatedWords:
    """The words of reasons in the language in which a request is answered."""
    return TranslatedWords(request_language(request))


def _escaping(translate: Callable[[str], str]) -> Callable[..., Markup]:
    """``gettext`` for templates: the text is ours and may have markup, the values in it are escaped."""
    return lambda text, **values: Markup(translate(text)) % values  # noqa: S704 - the texts are those of our own templates and catalogues


def _escaping_plural(translate: Callable[[str, str, int], str]) -> Callable[..., Markup]:
    """``ngettext`` for templates, in the same way; the number in the text is the value ``count``."""
    return lambda one, many, number, **values: Markup(translate(one, many, number)) % values  # noqa: S704 - as for gettext


def state_text(name: str, language: str) -> str:
    """A status, state or reason in a language of the pages; one that is not known as it is."""
    english = STATE_TEXTS.get(name, name)
    return str(script_texts(language).get(english, english))


def code_markup(text: str) -> Markup:
    """A message as markup: the parts between backticks are code."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(text.split("`"))
    )
