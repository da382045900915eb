"""Takes the pictures of the documents from a site that runs: `python -m tests.support.screenshots URL E-MAIL PASSWORD`.

`make run` prints all three. A few events first make them worth looking at (README, "Try it").
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, Page, ViewportSize

from tests.support.browser import running_browser

PICTURES = Path(__file__).parents[2] / "docs" / "images"
WINDOW = ViewportSize(width=1280, height=800)
# Where each is taken, how high it may be.
PAGES = {
    "to-do": ("/admin/", 800),
    "order": ("/admin/find/?q={order}", 1100),
    "diagnosis": ("/admin/diagnose/?q={order}", 800),
    "dashboard": ("/admin/dashboard/", 1100),
    "events": ("/admin/payments/paymentevent/", 800),
}


def take(page: Page, *, site: str, email: str, password: str) -> None:
    """All of them, in English and light."""
    page.goto(f"{site}/admin/login/?next=/admin/payments/order/?dispute_state__exact=OPEN")
    page.locator("[name=username]").fill(email)
    page.locator("[name=password]").fill(password)
    page.locator("[type=submit]").click()
    order = page.locator("#result_list th a").first.inner_text()
    for name, (address, height) in PAGES.items():
        page.goto(site + address.format(order=order))
        picture = FloatRect(x=0, y=0, width=WINDOW["width"], height=height)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True, clip=picture)


def main() -> None:
    site, email, password = sys.argv[1:]
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, running_browser(Path(directory)) as browser:
        take(browser.new_page(viewport=WINDOW, locale="en-GB"), site=site.rstrip("/"), email=email, password=password)


if __name__ == "__main__":
    main()
