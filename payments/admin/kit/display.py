"""How values look on every screen: links, states, money, Stripe's ids, moments and JSON."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.staff_site import NONE as NOTHING
from accounts.staff_site import moment_column
from payments.billing.models import Subscription
from payments.money import format_amount
from payments.orders.models import Order
from payments.statuses import DisputePhase, DisputeStatus, SubscriptionStatus

NONE = NOTHING
PERSON = "accounts.user"
Column = TypeVar("Column", bound=Callable[..., Any])
# A state is a word; its tint only repeats it.
GOOD, CARE, BAD, OFF = "good", "care", "bad", "off"
# Columns that hold a state, and the tint of its values in all of our tables; any other is OFF.
STATES = frozenset({"status", "outcome", "dispute_state", "email_state"})
STATE_TINTS: dict[str, str] = {
    **dict.fromkeys(("PAID", "PROCESSED", "DONE", "succeeded", "won", "confirmed", "paid"), GOOD),
    **dict.fromkeys(("ACTION_REQUIRED", "PROCESSING", "HELD", "INQUIRY", "pending", "requires_action", "asked"), CARE),
    "in_transit": CARE,
    **dict.fromkeys(("FAILED", "DEAD", "UNCERTAIN", "OPEN", "LOST", "failed", "lost"), BAD),
    **dict.fromkeys((DisputeStatus.WARNING_NEEDS_RESPONSE, DisputeStatus.WARNING_UNDER_REVIEW), CARE),
    **dict.fromkeys((DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW), CARE),
}
SUBSCRIPTION_TINTS: dict[str, str] = {
    SubscriptionStatus.ACTIVE: GOOD,
    SubscriptionStatus.TRIALING: GOOD,
    SubscriptionStatus.PAST_DUE: CARE,
    SubscriptionStatus.INCOMPLETE: CARE,
    SubscriptionStatus.UNPAID: BAD,
}
DISPUTE_TINTS: dict[int, str] = {
    DisputePhase.INQUIRY: CARE, DisputePhase.OPEN: CARE, DisputePhase.LOST: BAD, DisputePhase.CLOSED: GOOD,
}  # fmt: skip
DASHBOARD = "https://dashboard.stripe.com"
# What has a page of its own there, by how its id begins; everything else is found by its search.
DASHBOARD_PAGES = {
    "ch": "payments", "cus": "customers", "evt": "events", "in": "invoices", "pi": "payments", "po": "payouts",
    "price": "prices", "prod": "products", "py": "payments", "sub": "subscriptions",
}  # fmt: skip


def page_of(row: Model) -> str:
    """The address of the row's own page; of a person, the one that tells all of them."""
    if row._meta.label_lower == PERSON:
        return reverse("admin:person", args=[row.pk])
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def link_to(row: Model | None, text: str = "") -> str:
    """The row's own page, called `text` or what the row is called."""
    return format_html('<a href="{}">{}</a>', page_of(row), text or str(row)) if row is not None else NONE


def link_to_order(order: Order | None) -> str:
    """The order's page, under its number."""
    return link_to(order, order.number if order else "")


def link_to_owner(row: Any) -> str:
    """What it belongs to: an order or a subscription."""
    return link_to_order(row.order) if row.order else link_to(row.subscription)


def diagnosis_links(request: HttpRequest, name: str) -> list[tuple[str, str]]:
    """For the page of a row that goes by this name: where one is told why it is as it is, for those who may ask."""
    if not (name and request.user.has_perm("payments.diagnose")):
        return []
    return [(f"{reverse('admin:diagnose')}?{urlencode({'q': name})}", _("Diagnose"))]


def pill(word: str, tint: str) -> SafeString:
    """The word on its tint."""
    return format_html('<span class="pill pill-{}">{}</span>', tint, word)


def subscription_pill(row: Subscription) -> SafeString:
    """The state of a subscription; Stripe's own word where we know none."""
    return pill(row.status_text, SUBSCRIPTION_TINTS.get(row.status, OFF))


def open_pill(is_open: bool) -> SafeString:
    """Of a question: a green tick would say that all is well."""
    return pill(_("open"), CARE) if is_open else pill(_("closed"), OFF)


def state_pill(row: Model, field: str) -> SafeString | str:
    """The state that stands in this field; "" is none."""
    value = getattr(row, field)
    return pill(getattr(row, f"get_{field}_display")(), STATE_TINTS.get(value, OFF)) if value else NONE


@admin.display(description=gettext_lazy("live mode"), ordering="livemode")
def live_column(row: Any) -> SafeString:
    """A word: a red cross would say that something is wrong."""
    return pill("LIVE" if row.livemode else "TEST", OFF)


@cache
def shown_column(opts: Any, name: Any, *, is_exact: bool = False) -> Any:
    """The name of a column, or a column that shows it as people read it: moments and states."""
    if name == "livemode":
        return live_column
    if name not in STATES or not getattr(opts.get_field(name), "choices", None):
        return moment_column(opts, name, is_exact=is_exact)

    @admin.display(description=opts.get_field(name).verbose_name, ordering=name)
    def shown(row: Any) -> SafeString | str:
        return state_pill(row, name)

    shown.__name__ = name
    return shown


def amount(text: str) -> SafeString:
    """An amount, in figures that stand below each other."""
    return format_html('<span class="amount">{}</span>', text)


def tells_of(*models: str, **options: Any) -> Callable[[Column], Column]:
    """Decorates a column that tells of other rows ("payments.order"): not there for who may not see those.

    `options` as of admin.display.
    """

    def decorate(column: Column) -> Column:
        column.tells_of = models  # type: ignore[attr-defined]
        return admin.display(**options)(column)

    return decorate


def money_column(field: str, description: Any) -> Callable[[Any, Any], str]:
    """A column of a screen: the amount in this field, in the row's currency."""

    @admin.display(description=description, ordering=field)
    def column(_screen: Any, row: Any) -> str:
        return amount(format_amount(getattr(row, field), row.currency))

    return column


def stripe_id_column(field: str, description: Any) -> Callable[[Any, Any], str]:
    """A column of a screen: the id in this field, and the way to it in Stripe's Dashboard."""

    @admin.display(description=description, ordering=field)
    def column(_screen: Any, row: Any) -> str:
        return stripe_id(getattr(row, field), livemode=getattr(row, "livemode", None))

    return column


def stripe_id(name: str, *, livemode: bool | None = None) -> str:
    """The id of something at Stripe: one click selects it, the arrow leads to it. `livemode` None: the site's."""
    if not name:
        return NONE
    address = address_at_stripe(name, livemode=settings.STRIPE_LIVEMODE if livemode is None else livemode)
    return format_html(
        '<span class="stripe-id"><code>{}</code> <a href="{}" rel="noreferrer" title="{}">'
        '<span aria-hidden="true">↗</span><span class="visually-hidden">{}</span></a></span>',
        name, address, _("Open at Stripe"), _("%(id)s at Stripe") % {"id": name},
    )  # fmt: skip


def address_at_stripe(name: str, *, livemode: bool) -> str:
    """Its page in the Dashboard, or in the console of what stands in for Stripe."""
    if settings.STRIPE_API_BASE:
        return f"{settings.STRIPE_EMULATOR_URL}/{'events' if name.startswith('evt_') else 'objects'}/{name}"
    return dashboard_address(name, livemode=livemode)


def dashboard_address(name: str, *, livemode: bool) -> str:
    """Where the Dashboard shows what Stripe calls so."""
    mode, page = "" if livemode else "/test", DASHBOARD_PAGES.get(name.partition("_")[0])
    return f"{DASHBOARD}{mode}/{page}/{name}" if page else f"{DASHBOARD}{mode}/search?query={name}"


def pretty(data: object) -> SafeString:
    """JSON as people read it; every character of it escaped, because strangers wrote it."""
    return format_html("<pre>{}</pre>", json.dumps(data, indent=2, ensure_ascii=False))


def links_to(rows: Iterable[tuple[Model, str]]) -> SafeString:
    """Each row's own page, under what it is called; "" for none."""
    return format_html_join(" · ", "{}", ((link_to(row, text),) for row, text in rows))


def moment_text(moment: datetime | None) -> str:
    """In the site's time zone; "" for none."""
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else ""
