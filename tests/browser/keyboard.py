"""A visitor without a mouse: everything is reached by Tab, and one always sees where one is."""

from playwright.sync_api import Locator, Page, expect

MOST_STOPS = 40
HAS_FOCUS = "element => element === document.activeElement"
SHOWS_FOCUS = """element => {
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 && box.width > 0 && box.height > 0;
}"""


class Keyboard:
    """Never clicks, never jumps."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def goes_to(self, target: Locator) -> None:
        """Tab by Tab. Fails where the target cannot be reached, or a stop does not show that it has the focus."""
        expect(target).to_be_visible()
        for _stop in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            stop = self.page.locator(":focus")
            assert stop.evaluate(SHOWS_FOCUS), stop.evaluate("element => element.outerHTML")
            if target.evaluate(HAS_FOCUS):
                return
        raise AssertionError(f"{target} cannot be reached by Tab")

    def types(self, target: Locator, text: str) -> None:
        """Into a field."""
        self.goes_to(target)
        self.page.keyboard.type(text)

    def presses(self, target: Locator, key: str = "Enter") -> None:
        """A button or a link."""
        self.goes_to(target)
        self.page.keyboard.press(key)
