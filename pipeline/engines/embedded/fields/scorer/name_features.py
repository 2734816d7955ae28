"""What a possible name is and where it stands, as numbers: form, print, labels, addresses, web hosts, neighbours."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.candidates import Candidates
from pipeline.engines.embedded.fields.name_candidates import is_organisation
from pipeline.engines.embedded.fields.page_rows import Layout, label_key
from pipeline.engines.embedded.fields.parties import Parties
from pipeline.engines.embedded.fields.vocabulary import has_contact, vocabulary

Numbers = NDArray[np.float32]
NAME_FEATURES = (
    "strength",
    "share of the strongest",
    "other role's strength",
    "looks like a name",
    "organisation",
    "depth",
    "height on the page",
    "left edge",
    "right edge",
    "centre",
    "size",
    "largest size",
    "bold",
    "capitals",
    "words",
    "letters",
    "digits",
    "copies",
    "host",
    "labelled so",
    "labelled as the other",
    "labels of the role on the page",
    "labels of the other role",
    "before an address",
    "after an address",
    "street",
    "sender line",
    "address window",
    "former",
    "person",
    "addressed",
    "first name",
    "first in the block",
    "whole run",
    "near a tax number",
    "near contact data",
    "below the amounts",
    "ocr",
    "title near",
    "candidates",
    "colon",
    "in a table",
    "first organisation",
)


_ROLES = ("seller", "buyer")
_OF_ROLE = {
    name: NAME_FEATURES.index(name)
    for name in (
        "strength",
        "share of the strongest",
        "other role's strength",
        "labelled so",
        "labelled as the other",
        "labels of the role on the page",
        "labels of the other role",
    )
}
"""Where the features stand that a name has for a role; all others are the same for a seller and a buyer."""


class NameContext:
    """The names of one page, for every party of a template."""

    def __init__(self, layout: Layout, candidates: Candidates, parties: Parties, table_words: frozenset[int]) -> None:
        names = parties.names
        self._strengths = {
            "seller": np.array([parties.seller_strength(name) for name in names]),
            "buyer": np.array([parties.buyer_strength(name) for name in names]),
        }
        self._labelled = {role: np.array([parties.labelled_as(name, role) for name in names]) for role in _ROLES}
        self._counts = {role: sum(parties.roles[label.field] == role for label in parties.labels) for role in _ROLES}
        self._plain = _of_any_role(layout, candidates, parties, table_words)

    def features(self, role: str) -> Numbers:
        """One row for each name of ``Parties.names``, in the order of NAME_FEATURES, for a seller or a buyer."""
        other = "buyer" if role == "seller" else "seller"
        strengths = self._strengths[role]
        most = strengths.max(initial=-inf)
        columns = {
            "strength": strengths,
            "share of the strongest": strengths / most if most > 0 else 0.0,
            "other role's strength": self._strengths[other],
            "labelled so": self._labelled[role],
            "labelled as the other": self._labelled[other],
            "labels of the role on the page": min(2, self._counts[role]) / 2,
            "labels of the other role": min(2, self._counts[other]) / 2,
        }
        found = self._plain.copy()
        for name, at in _OF_ROLE.items():
            found[:, at] = columns[name]
        return found


def _of_any_role(layout: Layout, candidates: Candidates, parties: Parties, table_words: frozenset[int]) -> Numbers:
    """The features of each name, with 0 for those of a role."""
    names = parties.names
    width, height = max(1.0, layout.page.width), max(1.0, layout.page.height)
    sizes = [name.run.size / layout.height for name in names]
    top = max(sizes, default=1.0)
    vats = [(c.box[0], c.box[1]) for c in candidates.vats]
    lines = [(run.box[0], run.box[1]) for run in layout.runs if has_contact(run.text)]
    amounts = [c.box[1] for c in candidates.money if c.quality >= 0.8]
    last = max(amounts, default=layout.page.height)
    titles = vocabulary().titles
    organisations = [is_organisation(name.text) for name in names]
    first = organisations.index(True) if any(organisations) else -1
    found = []
    for at, name in enumerate(names):
        x0, y0, x1, _ = layout.box(name.words) if name.words else name.run.box
        letters = sum(map(str.isalpha, name.text))
        above = next(iter(layout.chain(name.run, -1, 1)), None)
        of_role = 0.0
        found.append(
            (
                of_role,
                of_role,
                of_role,
                name.features,
                float(organisations[at]),
                parties.depth(name),
                y0 / height,
                x0 / width,
                x1 / width,
                (x0 + x1) / 2 / width,
                min(4.0, sizes[at]) / 4,
                float(sizes[at] >= top - 1e-6),
                float(name.run.bold),
                sum(map(str.isupper, name.text)) / max(1, letters),
                min(8, len(name.text.split())) / 8,
                min(40, letters) / 40,
                sum(map(str.isdigit, name.text)) / max(1, len(name.text)),
                min(4, parties.copies(name)) / 4,
                parties.host_share(name.text),
                of_role,
                of_role,
                of_role,
                of_role,
                parties.before_address(name),
                float(parties.after_address(name)),
                float(parties.street(name)),
                float(parties.is_sender(name)),
                float(parties.in_address_window(name)),
                float(parties.former(name)),
                float(parties.person(name)),
                float(parties.addressed(name)),
                float(at == 0),
                float(above is None or not (set(above.text) - set(" -_"))),
                float(len(name.text) >= len(name.run.text) - 2),
                _near(vats, x0, y0, width, height),
                _near(lines, x0, y0, width, height),
                float(y0 > last),
                float(layout.page.source == "ocr"),
                float(any(label_key(run.text) in titles for run in layout.rows[name.run.row])),
                min(60, len(names)) / 60,
                float(":" in name.run.text[: name.start + 1]),
                float(not table_words.isdisjoint(name.words)),
                float(at == first),
            )
        )
    return np.array(found, np.float32).reshape(len(found), len(NAME_FEATURES))


def _near(places: list[tuple[float, float]], x: float, y: float, width: float, height: float) -> float:
    """1 for a place at the same point, 0 from a fifth of the page's height on."""
    nearest = min((abs(px - x) / width + abs(py - y) / height for px, py in places), default=1.0)
    return max(0.0, 1.0 - 5 * nearest)
