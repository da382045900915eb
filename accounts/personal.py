"""What staff see of people: in full with the right to it, else initials and masked addresses, on every staff page.

Names are masked where they are written (`shown_name`), and addresses once more on the finished page, so that none gets
through in a payload, a mail or a sentence. Nothing is ever masked on its way into the database.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.utils.translation import gettext_lazy

SEES_PEOPLE = "accounts.view_personal_data"
HIDDEN = "…"
# Shorter ones are in every other name, and no index finds them.
PART_MIN_CHARS = 3
PEOPLE_HELP = gettext_lazy("Part of the name or of the e-mail address (three letters or more).")
# Also as it stands in an address (%40) or escaped in a page (&#x27; is an apostrophe).
ADDRESS = re.compile(r"((?:[\w.%+-]|&#x27;)+?)((?:@|%40))((?:[\w-]+\.)+[\w-]+)")
# What strangers wrote about themselves, as Stripe's objects call it.
PERSONAL_KEYS = frozenset({"address", "email", "line1", "line2", "name", "phone", "postal_code", "receipt_email"})
View = Callable[..., Any]
_is_masked: ContextVar[bool] = ContextVar("is_masked", default=False)
_is_limited: ContextVar[bool] = ContextVar("is_limited", default=False)


def sees_people(user: Any) -> bool:
    """Whether they may read names and addresses of buyers in full."""
    return bool(user.has_perm(SEES_PEOPLE))


def is_masked() -> bool:
    """Whether what is written now is read by somebody who may not."""
    return _is_masked.get()


def is_limited() -> bool:
    """Whether who asks may not see people: then addresses are found only whole, or they could be guessed."""
    return _is_limited.get()


def reading(request: HttpRequest) -> AbstractContextManager[None]:
    """What is written in here is read by whoever asks; for a part of a page that is written before the rest of it."""
    return masked(not sees_people(request.user))


@contextmanager
def masked(is_on: bool = True) -> Iterator[None]:
    """What is written in here is read by somebody who may (not)."""
    token = _is_masked.set(is_on)
    try:
        yield
    finally:
        _is_masked.reset(token)


def shown_name(name: str) -> str:
    """ "Camille Martin", or "C. M." where it is masked."""
    return " ".join(f"{part[0]}." for part in name.split()) if is_masked() else name


def shown_person(text: str) -> str:
    """ "Camille Martin <camille@example.org>" with the name as one may see it; any other text as it is."""
    name, mark, address = text.rpartition(" <")
    return f"{shown_name(name)}{mark}{address}" if mark and address.endswith(">") else text


def shown_data(data: Any) -> Any:
    """One of Stripe's objects, without what is personal in it where it is masked."""
    if not is_masked():
        return data
    if isinstance(data, list):
        return [shown_data(each) for each in data]
    if not isinstance(data, dict):
        return data
    return {key: HIDDEN if key in PERSONAL_KEYS and each else shown_data(each) for key, each in data.items()}


def mask_addresses(text: str, *, keep: Collection[str] = ()) -> str:
    """The text with each address reduced to its first letter and its domain. `keep`: those that may stay."""
    kept = {each.lower() for each in keep}

    def mask(found: re.Match[str]) -> str:
        local, at, domain = found.groups()
        return found[0] if f"{local}@{domain}".lower() in kept else f"{local[0]}{HIDDEN}{at}{domain}"

    return ADDRESS.sub(mask, text)


def people_called(term: str) -> Q:
    """Rows with this name or e-mail address, or with each of its words in one of them; for rows that have both.

    Without a term: no condition.

    Who sees addresses only masked finds them only whole: letter by letter they could be read all the same.
    """
    if not term:
        return Q()
    found, words = Q(email=term.lower()), term.split()
    if not any(len(word) >= PART_MIN_CHARS for word in words):
        return found
    parts = Q()
    for word in words:
        parts &= Q(name__icontains=word) if is_limited() else Q(name__icontains=word) | Q(email__icontains=word)
    return found | parts


def masking(view: View) -> View:
    """A view of staff, which masks what it says to who may not see people. What they have typed themselves stays."""

    @wraps(view)
    def shown(request: HttpRequest, *args: object, **kwargs: object) -> Any:
        if _may_see(request.user):
            return view(request, *args, **kwargs)
        limited = _is_limited.set(True)
        try:
            # What acts must see people as they are: of a POST only the page is masked that comes of it.
            with masked(request.method in ("GET", "HEAD")):
                response = view(request, *args, **kwargs)
            with masked():
                response = response.render() if isinstance(response, SimpleTemplateResponse) else response
        finally:
            _is_limited.reset(limited)
        if isinstance(response, HttpResponse) and _is_text(response):
            page = response.content.decode(response.charset)
            response.content = mask_addresses(page, keep=_typed(request)).encode(response.charset)
        return response

    return shown


def _may_see(user: Any) -> bool:
    """Who is not signed in sees a form to sign in."""
    return isinstance(user, AnonymousUser) or sees_people(user)


def _is_text(response: HttpResponse) -> bool:
    kind = response.get("Content-Type", "")
    return kind.startswith("text/") or "json" in kind


def _typed(request: HttpRequest) -> list[str]:
    """Their own address, and what they have asked for."""
    typed = (value for form in (request.GET, request.POST) for values in form.lists() for value in values[1])
    return [request.user.get_username(), *typed]
