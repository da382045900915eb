"""Judges a page as everybody meets it: by axe-core in either colour scheme, and on a narrow phone."""

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, ViewportSize

from tests.support.mails import english_in

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}
AXE = Axe()
WIDER_THAN_THE_SCREEN = """() => {
  const most = document.documentElement.clientWidth;
  return document.documentElement.scrollWidth > most ? `${document.documentElement.scrollWidth} px` : "";
}"""
WIDER_THAN_THEIR_FRAME = """() => [document.documentElement, ...document.querySelectorAll(".results, .rows-table")]
  .filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => `${each.className || "the page"}: ${each.scrollWidth} px`).join(", ")"""


def examine(page: Page, *, language: str, quotes_stripe: bool) -> None:
    """Everything that must hold on every page: no barrier, no sideways scroll, in the reader's language alone.

    `quotes_stripe`: it shows objects and states as the API calls them, which is in English.
    """
    _be_whole(page)
    troubles = [
        *_barriers(page, "light"),
        *_on_a_phone(page),
        *_other_language(page, language),
        *([] if quotes_stripe else _english_words(page, language)),
    ]
    assert troubles == [], f"{page.url}\n" + "\n".join(troubles)


def glance(page: Page, *, schemes: Sequence[str] = ("light", "dark")) -> list[str]:
    """What is wrong with a page of staff: by axe, in the light on a wide screen and in the dark on a phone (`schemes`:
    or in one of them). At both widths rows fit their frame.
    """
    _be_whole(page)
    troubles = []
    for scheme, size in (("dark", PHONE), ("light", DESKTOP)):
        page.set_viewport_size(size)
        troubles += [*_too_wide(page), *(_barriers(page, scheme) if scheme in schemes else ())]
    return troubles


def _be_whole(page: Page) -> None:
    """Behind a click what is looked for may be there before the style sheets are, and without them nothing fits."""
    page.wait_for_load_state()


def _too_wide(page: Page) -> list[str]:
    wide = page.evaluate(WIDER_THAN_THEIR_FRAME)
    return [f"wider than its frame: {wide}"] if wide else []


def _on_a_phone(page: Page) -> list[str]:
    page.set_viewport_size(PHONE)
    width = page.evaluate(WIDER_THAN_THE_SCREEN)
    troubles = [f"scrolls sideways: {width}"] if width else []
    troubles += _barriers(page, "dark")
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    return troubles


def _barriers(page: Page, scheme: str) -> list[str]:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    # Reading style sheets itself, axe would break the policy of pages whose sheets import others.
    found = AXE.run(page, options={"preload": False}).response
    assert found["url"] == page.url
    return [
        f"{scheme}, {rule['id']}: {rule['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def _other_language(page: Page, language: str) -> list[str]:
    told = page.locator("html").get_attribute("lang")
    return [] if told == language else [f"the page says that its language is {told}"]


def _english_words(page: Page, language: str) -> list[str]:
    text = " ".join(page.locator("main").inner_text().split())
    return [f"in English: {words}" for words in english_in(text)] if language == "fr" else []
