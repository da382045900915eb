"""Somebody who acts on rows as staff do; and the walks, each under the name of the act of which it makes sure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from playwright.sync_api import Page, expect

from accounts.models import User
from payments.admin.kit.actions import ScreenAction
from tests.browser.examination import glance
from tests.payments.admin.test_language import FRENCH_TOO, NAMES
from tests.support.mails import english_in

REASON = "The buyer called"
FORMS = ("add", "change", "delete")
# What stands on a page of its own, and is no button of a row.
ON_PAGES = ("failures.replay_group", "missing.repair")


def every_act() -> dict[str, ScreenAction | None]:
    """By "model.name" what the screens offer: each button, and (None) each form."""
    request = HttpRequest()
    request.user = User(is_staff=True, is_superuser=True)
    found: dict[str, ScreenAction | None] = dict.fromkeys(ON_PAGES)
    for model, screen in admin.site._registry.items():
        name, buttons = model._meta.model_name, cast(Any, screen.actions or ())
        found |= {f"{name}.{action.name}": action for action in buttons}
        found |= {f"{name}.{form}": None for form in FORMS if getattr(screen, f"has_{form}_permission")(request)}
    return found


@dataclass
class Clerk:
    """May do everything. `act`: what is walked; `schemes`: in which the page that asks is judged.

    `by_list`: finds the row in its list and ticks it there, instead of opening its page.
    """

    page: Page
    url: str
    language: str
    act: str
    schemes: tuple[str, ...]
    by_list: bool

    def presses(self, row: Model) -> None:
        """The button of the act; leads to the page that asks, if it asks."""
        action = every_act()[self.act]
        assert action is not None
        if self.by_list:
            self._open(row, "changelist", query=action.query)
            self.page.locator(f"[name=_selected_action][value='{row.pk}']").check()
            self.page.locator("select[name=action]").select_option(action.name)
            self.page.locator(".actions button[type=submit]").click()
        else:
            self._open(row, "change", row.pk)
            self.presses_button(action.label)

    def presses_button(self, words: str | Promise) -> None:
        """On the page in front of the clerk; the words in English."""
        with translation.override(self.language):
            name = gettext(str(words)) if isinstance(words, str) else str(words)
        self.page.get_by_role("button", name=name, exact=True).click()

    def confirms(self, **fields: str) -> None:
        """The page between says what will happen, and asks why and for these fields."""
        self._looks_at("[name=confirmed]")
        assert self.page.locator("#content-main > ul > li").all_inner_texts()
        assert self._english_words() == set()
        self._fills(reason=REASON, **fields)
        self.page.locator("[name=confirmed]").click()

    def agrees(self, row: Model, **fields: str) -> None:
        """Presses and confirms."""
        self.presses(row)
        self.confirms(**fields)

    def does(self, row: Model, **fields: str) -> None:
        """All of it, until it is told that it is done."""
        self.agrees(row, **fields)
        self.is_told()

    def adds(self, model: type[Model], **fields: str) -> None:
        """On a form of its own."""
        self._open(model, "add")
        self.saves(**fields)

    def changes(self, row: Model, **fields: str) -> None:
        """On the form of the row."""
        self._open(row, "change", row.pk)
        self.saves(**fields)
        self.is_told()

    def deletes(self, row: Model) -> None:
        """After having been asked."""
        self._open(row, "delete", row.pk)
        self._looks_at("#content [type=submit]")
        self.page.locator("#content [type=submit]").click()
        self.is_told()

    def opens(self, name: str, *args: object) -> None:
        """A page of staff by its name."""
        self.page.goto(f"{self.url}{reverse(f'admin:{name}', args=args)}")

    def is_told(self) -> None:
        expect(self.page.locator(".messagelist .success").first).to_be_visible()
        assert not self.page.locator(".messagelist .warning, .messagelist .error").count()

    def is_shown_a_secret(self) -> None:
        """What can be read on this page only."""
        expect(self.page.locator("textarea.secret")).not_to_be_empty()

    def is_offered(self, act: str) -> None:
        """The page in front of the clerk has the button of another act."""
        expect(self.page.locator(f".object-tools [name=action][value={act}]")).to_have_count(1)

    def _open(self, about: Model | type[Model], what: str, *args: object, query: str = "") -> None:
        name = f"admin:{about._meta.app_label}_{about._meta.model_name}_{what}"
        self.page.goto(f"{self.url}{reverse(name, args=args)}{query}")

    def saves(self, **fields: str) -> None:
        self._looks_at("[name=_save]")
        self._fills(**fields)
        self.page.locator("[name=_save]").click()

    def _looks_at(self, button: str) -> None:
        expect(self.page.locator(button)).to_be_visible()
        assert self.page.locator("html").get_attribute("lang") == self.language
        troubles = glance(self.page, schemes=self.schemes)
        assert troubles == [], "\n".join(troubles)

    def _english_words(self) -> set[str]:
        text = NAMES.sub(" ", " ".join(self.page.locator("#content").inner_text().split()))
        return set(english_in(text)) - FRENCH_TOO if self.language == "fr" else set()

    def _fills(self, **fields: str) -> None:
        for name, value in fields.items():
            field = self.page.locator(f"#content-main [name={name}]")
            match field.first.evaluate("field => field.type"):
                case "select-one":
                    field.select_option(value)
                case "checkbox" if value == "on":
                    field.check()
                case "checkbox" if value:
                    field.and_(self.page.locator(f"[value='{value}']")).check()
                case "checkbox":
                    field.uncheck()
                case _:
                    field.fill(value)


Walk = Callable[[Clerk], None]
WALKS: dict[str, Walk] = {}


def walk(act: str) -> Callable[[Walk], Walk]:
    """The decorated function brings a row to where the act is due, acts, and looks at what has become of it."""

    def keep(steps: Walk) -> Walk:
        assert act not in WALKS
        WALKS[act] = steps
        return steps

    return keep
