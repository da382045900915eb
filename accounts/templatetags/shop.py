"""The shop, for public pages and mails: `{% shop as shop %}` gives its `Identity`."""

from typing import Any

from django import template

from accounts.shop.identity import Identity, current_shop, known_shop

register = template.Library()


@register.simple_tag(takes_context=True)
def shop(context: Any) -> Identity:
    """As it is now; on a page that tells of an error as it was seen last, since the database may be what is broken."""
    return known_shop() if "request_id" in context and "request" not in context else current_shop()
