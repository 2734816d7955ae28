"""The charts of a page: the page itself, or the figures among its text, each cut out with its caption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pipeline.engines.embedded.chart.chart_claims import read_chart
from pipeline.records import FIGURE, Box, Claim, Figure, Page, PageImage
from pipeline.templates.template import Template
from pipeline.words.figures import MIN_BODY_WORDS
from pipeline.words.page_part import moved_shape, part_of_page


def read_charts(page: Page, image: PageImage, template: Template) -> list[Mapping[str, Claim]]:
    """The claims of each chart on a page, from top to bottom; of a page of text without a chart those of none.

    A page that is one chart, and a picture of which nothing else is known, is read as a whole.
    """
    figures = page.figures or ()
    charts = [figure for figure in figures if figure.kind == "chart"]
    if len(charts) == 1 and charts[0].is_page:
        return [read_chart(page, image, template, charts[0].shapes)]
    if charts:
        return [_read_figure(figure, page, image, template) for figure in charts]
    if page.figures is not None and len(page.words) >= MIN_BODY_WORDS:
        return [{name: Claim(None) for name in template.fields}]
    return [read_chart(page, image, template)]


def _read_figure(figure: Figure, page: Page, image: PageImage, template: Template) -> dict[str, Claim]:
    part, inside = part_of_page(page, figure.box)
    shapes = [moved_shape(shape, -figure.box[0], -figure.box[1]) for shape in figure.shapes]
    claims = {
        name: replace(claim, words=tuple(inside[word] for word in claim.words))
        for name, claim in read_chart(part, _cut(image, figure.box), template, shapes).items()
    }
    if "chart_type" in claims:
        claims["chart_type"] = replace(claims["chart_type"], signals={**claims["chart_type"].signals, FIGURE: 1.0})
    if "caption" in template.fields and figure.caption:
        text = " ".join(page.words[word].text for word in figure.caption)
        claims["caption"] = Claim(text, text, figure.caption, 0.8)
    return claims


def _cut(image: PageImage, box: Box) -> PageImage:
    """The part of an image inside a box in points."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    left, top, right, bottom = (max(0, round(side * image.scale)) for side in box)
    left, top = min(left, image.width - 1), min(top, image.height - 1)
    part = np.ascontiguousarray(pixels[top : max(bottom, top + 1), left : max(right, left + 1)])
    return PageImage(part.shape[1], part.shape[0], part.tobytes(), image.scale)
