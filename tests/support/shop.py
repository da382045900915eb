"""A shop that has said everything about itself."""

from typing import Any

from accounts.shop import identity
from accounts.shop.models import Shop, ShopPage

SHOP = {
    "name": "Maison des arts", "accent": "#8a3b12", "email": "bonjour@maison.example", "phone": "+33 4 78 00 00 00",
    "legal_entity": "Maison des arts SARL, RCS Lyon 123 456 789", "address": "12 rue des Tanneurs\n69001 Lyon",
}  # fmt: skip


def open_shop(**different: Any) -> Shop:
    """The one row, with a text for each page in both languages; pages and mails show it from now on."""
    texts = {f"{page.column}_en": f"# Our {page.column}\n\nAll of it." for page in ShopPage}
    texts |= {f"{page.column}_fr": f"# Notre {page.column}\n\nTout y est." for page in ShopPage}
    shop, _is_new = Shop.objects.update_or_create(defaults={**SHOP, **texts, **different})
    # Seen already: no page asks the database for it in the middle of a test that counts.
    identity._known.shop = identity.read_shop()
    return shop
