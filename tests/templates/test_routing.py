from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.errors import SettingsError
from pipeline.templates.routing import Route, check_routes, matches, route, template_for_kind
from pipeline.templates.template import Applies, Template, TemplateField


def template(name: str, **applies: list[str]) -> Template:
    return Template.model_validate(
        {"name": name, "prompt": "p", "fields": {"a": TemplateField(type="text")}, "for": Applies.model_validate(applies)}
    )


TEMPLATES = {
    found.name: found
    for found in (
        template("delivery_note", files=["lager/**/*.pdf"], kinds=["invoice"]),
        template("invoice", kinds=["invoice"]),
        template("receipt", kinds=["receipt"], files=["*bon*.jpg"]),
        template("company", files=["lager/**"]),
        template("transcript", kinds=["text"]),
    )
}


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.pdf", "a.pdf", True),
        ("*.pdf", "deep/down/A.PDF", True),
        ("in/*.pdf", "in/a.pdf", True),
        ("in/*.pdf", "in/b/a.pdf", False),
        ("in/**", "in/b/a.pdf", True),
        ("in/**", "inn/a.pdf", False),
        ("in/", "IN/b/a.pdf", True),
        ("**/2024/*.png", "2024/x.png", True),
        ("**/2024/*.png", "a/b/2024/x.png", True),
        ("**/2024/*.png", "a/2024/b/x.png", False),
        ("**", "anything/at/all", True),
        ("./in/a?.pdf", "in/a1.pdf", True),
        ("Büro/**", "Bu\u0308ro/a.pdf", True),
        ("scan[12].tif", "x/scan2.tif", True),
    ],
)
def test_a_glob_fits_its_paths_and_no_others(glob: str, path: str, fits: bool) -> None:
    assert matches(glob, path) is fits


def test_many_stars_do_not_hang() -> None:
    assert not matches("/".join(["**", "a"] * 30), "/".join("a" * 200) + "/b")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("invoices/a.pdf", ["invoice"]),
        ("Invoice/2024/a.pdf", ["invoice"]),
        ("Delivery Notes/a.pdf", ["delivery_note"]),
        ("delivery-note/a.pdf", ["delivery_note"]),
        ("companies/a.pdf", ["company"]),
        ("invoices/receipts/a.jpg", ["receipt"]),
        ("a/b.pdf", []),
        ("invoices", []),
        ("lager/x/a.pdf", ["delivery_note", "company"]),
        ("lager/x/a.png", ["company"]),
        ("kassenBON-3.JPG", ["receipt"]),
    ],
)
def test_folders_and_the_templates_own_globs(path: str, expected: list[str]) -> None:
    assert route(path, TEMPLATES, []) == expected


def test_the_first_route_of_the_settings_wins_over_all() -> None:
    routes = [
        Route.model_validate({"match": "invoices/old/**", "template": "transcript"}),
        Route.model_validate({"match": "invoices/**", "template": ["invoice", "receipt"]}),
        Route.model_validate({"match": "**", "template": "company"}),
    ]
    assert route("invoices/old/a.pdf", TEMPLATES, routes) == ["transcript"]
    assert route("invoices/a.pdf", TEMPLATES, routes) == ["invoice", "receipt"]
    assert route("receipts/a.pdf", TEMPLATES, routes) == ["company"]


def test_a_route_needs_a_template() -> None:
    for wrong in ({"match": "*", "template": []}, {"match": "", "template": "a"}, {"match": "*", "tamplate": "a"}):
        with pytest.raises(ValidationError):
            Route.model_validate(wrong)


def test_a_route_to_an_unknown_template_is_reported() -> None:
    with pytest.raises(SettingsError, match="`invoise`, which does not exist, did you mean `invoice`"):
        check_routes([Route(match="*", template=["invoise"])], TEMPLATES)
    check_routes([Route(match="*", template=["invoice"])], TEMPLATES)


def test_kinds_go_to_the_first_template_for_them_else_to_the_transcript() -> None:
    assert template_for_kind("invoice", TEMPLATES) == "delivery_note"
    assert template_for_kind("receipt", TEMPLATES) == "receipt"
    assert template_for_kind("photo", TEMPLATES) == "transcript"


def test_a_users_template_for_text_keeps_letters_and_a_special_one_goes_before_it() -> None:
    built_in = {found.name: found for found in (template("letter", kinds=["letter"]), template("transcript", kinds=["text"]))}
    assert template_for_kind("letter", built_in) == "letter"
    assert template_for_kind("contract", built_in) == "transcript"
    own = {"mail": template("mail", kinds=["text"])}
    assert template_for_kind("letter", {**own, **built_in}) == "mail"
    special = {"mail": template("mail", kinds=["letter"])}
    assert template_for_kind("letter", {**special, **built_in}) == "mail"
    assert template_for_kind("text", {**special, **built_in}) == "transcript"
