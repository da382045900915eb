"""What the templates of staff pages need besides Django's."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()
CELL = re.compile(r"<t[dh]\b")


@register.simple_tag
def named_cells(cells: Iterable[SafeString], headers: Iterable[Mapping[str, Any]]) -> SafeString:
    """The cells of a row of Django's lists, each with the name of its column: what a card shows before the value."""
    return mark_safe("".join(_named(cell, header) for cell, header in zip(cells, headers, strict=False)))


def _named(cell: SafeString, header: Mapping[str, Any]) -> str:
    # The checkbox has a label of its own.
    if "action-checkbox" in header.get("class_attrib", ""):
        return cell
    name = format_html(' data-label="{}"', capfirst(header["text"]))
    return CELL.sub(lambda tag: tag[0] + name, cell, count=1)
