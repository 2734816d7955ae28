"""Several people in a real browser: an invitation is accepted, a reader cannot change anything, an old bookmark asks to sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.web.interface.conftest import DESKTOP, PHONE, TIMEOUT_MILLISECONDS, ServedOutbox, serve_outbox

pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytest.importorskip("argon2")
from playwright.sync_api import expect  # noqa: E402 - only with the package

expect.set_options(timeout=TIMEOUT_MILLISECONDS)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PHRASE = "correct horse battery staple"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOutbox]:
    """A server for several people: Ada is invited as an admin."""
    with serve_outbox(tmp_path_factory.mktemp("shared")) as served:
        yield served


@pytest.fixture
def new_browser(browser: Any) -> Iterator[Callable[..., Any]]:
    """Pages of browsers of their own, with nothing loaded yet; at the end none may have had an error."""
    problems: list[str] = []
    contexts: list[Any] = []

    def new(size: dict[str, int] = DESKTOP, language: str = "en-GB") -> Any:
        context = browser.new_context(viewport=size, locale=language)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MILLISECONDS)
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
        return page

    yield new
    for context in contexts:
        context.close()
    assert [problem for problem in problems if "401 (Unauthorized)" not in problem] == []


def check_page(page: Any) -> None:
    """Nothing is cut off, and axe finds nothing serious."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    violations = axe.Axe().run(page).response["violations"]
    assert [item["id"] for item in violations if item["impact"] in ("serious", "critical")] == []


def accept(page: Any, link: str) -> None:
    page.goto(link)
    check_page(page)
    page.get_by_label("New password", exact=True).fill(PHRASE)
    page.get_by_label("New password, once more").fill(PHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_people_are_invited_work_under_their_names_and_readers_only_look(
    shared: ServedOutbox, new_browser: Callable[..., Any], size: dict[str, int]
) -> None:
    from pipeline.web.accounts.account_store import AccountStore
    from pipeline.web.accounts.database import AccountDatabase

    width = size["width"]
    id = shared.add_invoice(f"a{width}.pdf")  # noqa: A001 - as in the addresses
    store = AccountStore(AccountDatabase(shared.folder.settings.outbox / ".pipeline"))
    ada = new_browser(size)
    accept(ada, f"{shared.base}/invitation/{store.invite(f'Ada {width}', 'admin')}")
    ada.get_by_role("link", name="People").click()
    links = {}
    for name, role in (("Cora", "correct"), ("Rita", "read")):
        ada.get_by_label("Name", exact=True).fill(f"{name} {width}")
        ada.locator("form[action='/people/invite'] select").select_option(role)
        ada.get_by_role("button", name="Invite").click()
        links[name] = ada.get_by_label("Link of the invitation").input_value()
        check_page(ada)
        remove = ada.get_by_role("button", name=f"Remove the invitation of {name} {width}").bounding_box()
        assert remove["height"] < 50, "no word is broken letter by letter"

    cora, rita = new_browser(size), new_browser(size)
    accept(cora, links["Cora"])
    accept(rita, links["Rita"])
    cora.goto(f"{shared.base}/documents/{id}")
    cora.locator(".field").first.wait_for()
    assert cora.locator("#author").count() == 0
    cora.keyboard.press("n")
    cora.keyboard.press("a")
    expect(cora.locator(".corrected").first).to_contain_text(f"by Cora {width}")
    check_page(cora)

    rita.goto(f"{shared.base}/documents/{id}")
    rita.locator(".field").first.wait_for()
    for name in ("Approve", "Accept", "Correct"):
        assert rita.get_by_role("button", name=name).count() == 0
    expect(rita.locator(".corrected").first).to_contain_text(f"by Cora {width}")
    rita.goto(f"{shared.base}/")
    assert rita.locator("#files").count() == 0

    rita.get_by_role("button", name="Sign out").click()
    rita.goto(f"{shared.base}/documents/{id}")
    check_page(rita)
    rita.get_by_label("Name").fill(f"rita {width}")
    rita.get_by_label("Password").fill("not the one")
    rita.keyboard.press("Enter")
    expect(rita.get_by_role("alert")).to_contain_text("not right")
    rita.get_by_label("Password").fill(PHRASE)
    rita.keyboard.press("Enter")
    rita.wait_for_url(f"**/documents/{id}")
    rita.locator(".field").first.wait_for()


def test_a_person_signs_in_in_german_and_chooses_another_language(
    shared: ServedOutbox, new_browser: Callable[..., Any]
) -> None:
    from pipeline.web.accounts.account_store import AccountStore
    from pipeline.web.accounts.database import AccountDatabase

    store = AccountStore(AccountDatabase(shared.folder.settings.outbox / ".pipeline"))
    page = new_browser(PHONE, "de-DE")
    page.goto(f"{shared.base}/invitation/{store.invite('Käthe', 'admin')}")
    expect(page.get_by_role("heading")).to_have_text("Willkommen, Käthe")
    page.get_by_label("Neues Passwort", exact=True).fill(PHRASE)
    page.get_by_label("Neues Passwort, noch einmal").fill(PHRASE)
    page.get_by_role("button", name="Konto anlegen").click()
    page.get_by_role("link", name="Personen").click()
    check_page(page)
    page.get_by_role("button", name="Abmelden").click()
    page.get_by_label("Name").fill("käthe")
    page.get_by_label("Passwort").fill("falsch")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("alert")).to_have_text("Der Name oder das Passwort stimmt nicht.")
    page.get_by_label("Passwort").fill(PHRASE)
    page.get_by_role("button", name="Anmelden").click()
    page.get_by_role("link", name="Käthe").click()
    page.get_by_label("Sprache dieser Seiten").select_option("zh")
    page.get_by_role("button", name="Wählen").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()
    check_page(page)
