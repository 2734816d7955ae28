"""Tax numbers without the letters of a European VAT number, by their printed form and what python-stdnum validates: mostly check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.values.number_formats import has_check_digits

LEAST_WEIGHT = 0.3
"""Weight of a language from which a page is in it."""


@dataclass(frozen=True)
class _Scheme:
    """A country's tax number: the module of python-stdnum that validates it, and the form in which it is printed."""

    module: str
    form: str
    languages: tuple[str, ...] = ()
    """A form that other numbers have, too, counts only on pages in one of these languages."""
    prefix: str = ""
    """Printed before the digits that are validated."""


_SCHEMES = (
    _Scheme("br.cnpj", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}"),
    _Scheme("ar.cuit", r"\d{2}-\d{8}-\d"),
    _Scheme("cl.rut", r"\d{1,2}\.\d{3}\.\d{3}-[\dKk]"),
    _Scheme("co.nit", r"\d{3}\.\d{3}\.\d{3}-\d"),
    _Scheme("ve.rif", r"[VEJPG]-\d{8}-\d"),
    _Scheme("ec.ruc", r"\d{10}001", ("es",)),
    _Scheme("mx.rfc", r"[A-ZÑ&]{3,4}-?\d{6}-?[A-Z0-9]{3}", ("es",)),
    _Scheme("es.cif", r"[A-HJNP-SUVW]-?\d{7}[\dA-J]", ("es", "ca")),
    _Scheme("pl.nip", r"\d{3}-\d{3}-\d{2}-\d{2}|\d{3}-\d{2}-\d{2}-\d{3}", ("pl",)),
    _Scheme("kr.brn", r"\d{3}-\d{2}-\d{5}", ("ko",)),
    _Scheme("id.npwp", r"\d{2}\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}"),
    _Scheme("in_.gstin", r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z\d]Z[A-Z\d]"),
    _Scheme("au.abn", r"\d{2} \d{3} \d{3} \d{3}"),
    _Scheme("jp.cn", r"T\d{13}", ("ja",), prefix="T"),
    _Scheme("cn.uscc", r"[\dA-HJ-NP-RTUWXY]{2}\d{6}[\dA-HJ-NP-RTUWXY]{10}", ("zh",)),
)
_ANY = re.compile(
    rf"(?<![^\W_])(?<!\d[-/.])(?:{'|'.join(f'(?P<s{n}>{s.form})' for n, s in enumerate(_SCHEMES))})(?![^\W_]|[-/.]\d)"
)


def find_tax_numbers(text: str, languages: Mapping[str, float]) -> Iterator[tuple[int, int]]:
    """Start and end of each number that has the printed form of a country's tax numbers and is valid there.

    ``languages`` are the weights of those that the page is in.
    """
    for match in _ANY.finditer(text):
        scheme = _SCHEMES[int((match.lastgroup or "s0")[1:])]
        spoken = not scheme.languages or any(languages.get(code, 0.0) >= LEAST_WEIGHT for code in scheme.languages)
        if spoken and has_check_digits(scheme.module, match[0].removeprefix(scheme.prefix)):
            yield match.span()
