"""The reconciliations' screen: how complete we are, and what each run has found."""

from collections.abc import Collection

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from payments.admin.kit.display import NONE
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.billing.models import Subscription
from payments.names import read_number
from payments.orders.labels import name_of, value_of
from payments.orders.models import Order
from payments.reconcile.models import Done, ReconcileRun


def done_text(done: str) -> str:
    """What was done about a finding."""
    words = {
        Done.PUT_RIGHT: _("put right"),
        Done.TO_BE_PUT_RIGHT: _("to be put right"),
        Done.ASKED: _("a person was asked"),
        Done.LEFT: _("left to the clean-up"),
        Done.FAILED: pgettext("of a comparison", "failed"),
    }
    return str({str(key): word for key, word in words.items()}.get(done, done))


def _currencies(subjects: Collection[str]) -> dict[str, str]:
    """Of the orders and subscriptions that go by these names; two queries."""
    numbers = {key for name in subjects if (key := read_number(name))}
    orders = {order.number: order.currency for order in Order.objects.filter(pk__in=numbers)}
    subscriptions = Subscription.objects.filter(stripe_id__in=subjects)
    return orders | dict(subscriptions.values_list("stripe_id", "currency"))


def _line(finding: dict[str, str], *, currency: str) -> tuple[str, ...]:
    what = finding["what"]
    here, there = (value_of(what, finding[name], currency=currency) for name in ("here", "at_stripe"))
    return finding["subject"], name_of(what), here, there, done_text(finding["done"])


@admin.register(ReconcileRun)
class ReconcileRunAdmin(ReadOnlyAdmin):
    """The newest run first."""

    list_display = ("started_at", "sentence_text", "since", "until", "is_dry_run", "by", "error")
    list_filter = ("is_dry_run", ("started_at", admin.DateFieldListFilter))
    fields = (
        "sentence_text", ("since", "until"), ("started_at", "finished_at"), ("by", "is_dry_run", "is_continued"),
        "error", "findings_table", "counts",
    )  # fmt: skip
    readonly_fields = ("sentence_text", "findings_table")

    @admin.display(description=gettext_lazy("result"))
    def sentence_text(self, row: ReconcileRun) -> str:
        return row.sentence

    @admin.display(description=gettext_lazy("findings"))
    def findings_table(self, row: ReconcileRun) -> SafeString | str:
        """What, here, at Stripe, and what was done."""
        if not row.findings:
            return NONE
        heads = ("", _("what"), _("here"), _("at Stripe"), _("what was done"))
        currencies = _currencies({finding["subject"] for finding in row.findings})
        lines = (_line(finding, currency=currencies.get(finding["subject"], "")) for finding in row.findings)
        return format_html(
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
            format_html_join("", "<th>{}</th>", ((head,) for head in heads)),
            format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", lines),
        )
