"""The shop's long texts: Markdown without pictures and HTML, made into a part of a page."""

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# A page has one heading of the first level: its own.
DEEPEST = 6
RULES = ("heading", "list", "emphasis", "link", "autolink", "escape", "entity", "newline", "hr", "blockquote")
_reader = MarkdownIt("zero", {"html": False, "breaks": True}).enable(list(RULES))


def as_html(text: str) -> SafeString:
    """Its paragraphs, headings, lists and links. What is HTML in it is shown as it was written."""
    tokens = _reader.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(DEEPEST, int(token.tag[1:]) + 1)}"
    # Safe: the reader escapes all text, and takes no address that a browser would run.
    return mark_safe(_reader.renderer.render(tokens, _reader.options, {}))
