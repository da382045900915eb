"""Somebody in front of a browser: reads, presses and follows what the pages call things in their language."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import translation
from django.utils.translation import gettext, pgettext
from playwright.sync_api import BrowserContext, Locator, Page, Response, expect

from tests.browser.examination import examine
from tests.browser.watch import Watch
from tests.support.browser import PAGE_TIMEOUT_MS
from tests.support.processes import wait_until
from tests.support.site import Site


class Visitor:
    """One person with one browser window. All texts are given in English, and looked for in the person's language."""

    def __init__(self, context: BrowserContext, *, language: str, site: Site) -> None:
        self.context, self.language, self.site = context, language, site
        self.watch = Watch(context)
        self.page: Page = context.new_page()

    def words(self, text: str, **values: object) -> str:
        """The text as this person reads it."""
        with translation.override(self.language):
            return gettext(text) % values if values else gettext(text)

    def in_context(self, context: str, text: str) -> str:
        """The same for a text that means several things."""
        with translation.override(self.language):
            return pgettext(context, text)

    def open(self, path: str) -> None:
        """Go to an address of the site, or anywhere."""
        self.page.goto(path if path.startswith("http") else f"{self.site.url}{path}")

    def press(self, text: str, **values: object) -> None:
        """Press the button that says exactly this."""
        self.button(text, **values).click()

    def button(self, text: str, **values: object) -> Locator:
        return self.page.get_by_role("button", name=self.words(text, **values), exact=True)

    def follow(self, text: str, **values: object) -> None:
        """Follow the link that says exactly this."""
        self.link(text, **values).click()

    def link(self, text: str, **values: object) -> Locator:
        return self.page.get_by_role("link", name=self.words(text, **values), exact=True)

    def fill(self, label: str, value: str) -> None:
        """Write into the field with this label."""
        self.field(label).fill(value)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(self.words(label), exact=True)

    def sees(self, heading: str, **values: object) -> None:
        """Wait for the page with this heading, which may be under way."""
        expect(self.heading(heading, **values)).to_be_visible()

    def heading(self, text: str, **values: object) -> Locator:
        return self.page.get_by_role("heading", name=self.words(text, **values), exact=True)

    def reads(self, text: str, **values: object) -> None:
        """Wait until the text stands somewhere on the page."""
        expect(self.page.locator("main")).to_contain_text(self.words(text, **values))

    def looks_until(self, heading: str) -> None:
        """Load the page again until it has this heading: what happens behind it takes its time."""
        self._looks_for(self.heading(heading))

    def looks_until_it_reads(self, text: str, **values: object) -> None:
        """The same for a text."""
        self._looks_for(self.page.get_by_text(self.words(text, **values)))

    def _looks_for(self, what: Locator) -> None:
        def has_come() -> bool:
            return what.is_visible() or bool(self.page.reload() and what.is_visible())

        wait_until(has_come, seconds=PAGE_TIMEOUT_MS / 1000, or_show=lambda: self.page.locator("main").inner_text())

    def examines(self, *, quotes_stripe: bool = False) -> None:
        """Let the page in front of the visitor be judged."""
        examine(self.page, language=self.language, quotes_stripe=quotes_stripe)

    @contextmanager
    def being_refused(self, status: int) -> Iterator[None]:
        """What is done here is answered by a page with this status."""

        def is_the_page(answer: Response) -> bool:
            return answer.request.is_navigation_request() and answer.status == status

        with self.watch.expecting(status), self.page.expect_response(is_the_page, timeout=PAGE_TIMEOUT_MS):
            yield
        self.page.wait_for_load_state()
