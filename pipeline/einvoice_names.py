"""Names of the data of an e-invoice inside a PDF."""

from __future__ import annotations

import re

EINVOICE_DATA = re.compile(
    r"(factur-x|zugferd-invoice|xrechnung|order-x|cida?|ubl)[\w.-]*\.xml|.*invoice[\w.-]*\.xml", re.IGNORECASE
)
"""Names of the XML of e-invoices, which is read as data (Factur-X 1.07, 6.2)."""
