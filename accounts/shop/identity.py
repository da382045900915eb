"""The shop as every page and mail shows it: read once in a few seconds a process, never once a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic
from typing import Any

from django import template
from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.urls import reverse

from accounts.pictures.models import Picture
from accounts.shop.colours import Palette, by_day, by_night, style_sheet
from accounts.shop.models import TEXT_LANGUAGES, Shop, ShopPage

# So long a process does not look again.
CACHED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of the shop; "" where nobody has said so. `pages`: those that have a text, in any language."""

    name: str = ""
    logo: Picture | None = None
    accent: str = ""
    email: str = ""
    phone: str = ""
    legal_entity: str = ""
    address: tuple[str, ...] = ()
    pages: tuple[ShopPage, ...] = ()
    # Made of the accent once, not for each page.
    style_version: str = field(default="")

    @property
    def title(self) -> str:
        """Who sells, in one name: by the shop, or by SELLER_NAME; "" where neither says more than SITE_NAME."""
        return self.name or ("" if settings.SELLER_NAME == settings.SITE_NAME else settings.SELLER_NAME)

    @property
    def phone_link(self) -> str:
        """The number as telephones dial it: "+33478000000"."""
        return "".join(letter for letter in self.phone if letter in "+0123456789")

    @property
    def links(self) -> Mapping[str, str]:
        """The addresses of the pages that there are, by their columns ("legal_notice")."""
        return {page.column: reverse("shop-page", args=[page.value]) for page in self.pages}

    @property
    def has_contact(self) -> bool:
        """Whether there is anything to put at the foot of a page or mail."""
        return bool(self.email or self.phone or self.address or self.legal_entity)

    @property
    def style(self) -> str:
        """The style sheet with the accent; "" without one."""
        return style_sheet(self.accent) if self.accent else ""

    @property
    def day(self) -> Palette | None:
        """For mails, which can load no style sheet."""
        return by_day(self.accent) if self.accent else None

    @property
    def night(self) -> Palette | None:
        """The same for dark screens."""
        return by_night(self.accent) if self.accent else None


@dataclass(slots=True)
class _Known:
    """The shop as it was seen; it counts until then, by the clock of this process."""

    shop: Identity = Identity()
    until: float = 0.0


_known = _Known()
# `{% load shop %}` (config/settings.py): what a page shows stands where it is read.
register = template.Library()


@register.simple_tag(takes_context=True)
def shop(context: Any) -> Identity:
    """`{% shop as shop %}`: as it is now; on a page that tells of an error as it was seen last, since the database may
    be what is broken.
    """
    return known_shop() if "request_id" in context and "request" not in context else current_shop()


def current_shop() -> Identity:
    """At most a few seconds old."""
    if monotonic() >= _known.until:
        _known.shop, _known.until = read_shop(), monotonic() + CACHED_SECONDS
    return _known.shop


def known_shop() -> Identity:
    """As it was seen last, without asking: for pages that are shown because something is broken."""
    return _known.shop


def forget() -> None:
    """This process looks again at once: it has just changed something."""
    _known.until = 0.0


def read_shop() -> Identity:
    """From the database; without the texts, which are long, but knowing which there are."""
    texts = [f"{page.column}_{code}" for page in ShopPage for code in TEXT_LANGUAGES]
    there = {f"has_{page.column}": _has_text(page) for page in ShopPage}
    row = Shop.objects.select_related("logo").defer(*texts, "logo__narrow", "logo__wide").annotate(**there).first()
    if row is None:
        return Identity()
    return Identity(
        name=row.name,
        logo=row.logo,
        accent=row.accent,
        email=row.email,
        phone=row.phone,
        legal_entity=row.legal_entity,
        address=tuple(line.strip() for line in row.address.splitlines() if line.strip()),
        pages=tuple(page for page in ShopPage if getattr(row, f"has_{page.column}")),
        style_version=sha256(style_sheet(row.accent).encode()).hexdigest()[:12] if row.accent else "",
    )


def _has_text(page: ShopPage) -> ExpressionWrapper:
    nothing = Q(**{f"{page.column}_{code}": "" for code in TEXT_LANGUAGES})
    return ExpressionWrapper(~nothing, output_field=BooleanField())
