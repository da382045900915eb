"""Whether the shop says who it is and what one agrees to: what the law asks for as a warning, all else as a note.

Nothing of it keeps payments from working, so nothing of it is a fault.
"""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.shop.identity import Identity
from accounts.shop.models import ShopPage
from payments.diagnosis.findings import Finding, Remedy, Severity, fine

# What a shop must show: https://eur-lex.europa.eu/eli/dir/2000/31 (article 5), https://eur-lex.europa.eu/eli/dir/2011/83
# (article 6).
REQUIRED: dict[ShopPage, Promise] = {
    ShopPage.LEGAL_NOTICE: gettext_lazy("The site has no legal notice: the law wants a shop to say who runs it."),
    ShopPage.TERMS: gettext_lazy("The site has no terms of sale: buyers must be able to read them before they pay."),
}
RECOMMENDED: dict[ShopPage, Promise] = {
    ShopPage.REFUNDS: gettext_lazy("Nothing says when money is given back, and whether one can withdraw."),
    ShopPage.PRIVACY: gettext_lazy("Nothing says what becomes of people’s data."),
}
FACTS: dict[str, Promise] = {
    "name": gettext_lazy("a name"),
    "email": gettext_lazy("a contact e-mail"),
    "address": gettext_lazy("a postal address"),
}


def shop_findings(shop: Identity) -> Iterator[Finding]:
    """What is missing on the screen "Shop", or that nothing is."""
    missing = [_missing(told, Severity.WAITING) for page, told in REQUIRED.items() if page not in shop.pages]
    missing += [_missing(told, Severity.NOTE) for page, told in RECOMMENDED.items() if page not in shop.pages]
    if unknown := [str(words) for name, words in FACTS.items() if not getattr(shop, name)]:
        told = _("Visitors, receipts and e-mails are not told who sells; what is missing: %(missing)s")
        missing.append(_missing(told % {"missing": ", ".join(unknown)}, Severity.NOTE))
    yield from missing or [fine(_("The shop says who it is, and what one agrees to."))]


def _missing(told: str | Promise, severity: Severity) -> Finding:
    page = reverse("admin:accounts_shop_changelist")
    remedy = Remedy(_("Fill it in (Shop)."), page=page, permission="accounts.change_shop")
    return Finding(str(told), remedy=remedy, severity=severity)
