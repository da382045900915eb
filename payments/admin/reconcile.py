"""The reconciliations' screen: how complete we are, and what each run has found."""

from collections.abc import Collection, Iterable

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.menu import Job
from payments.admin.kit.display import NONE
from payments.admin.kit.screens import ReadOnlyAdmin
from payments.billing.models import Subscription
from payments.names import read_number
from payments.orders.labels import name_of, value_of
from payments.orders.models import Order
from payments.reconcile.fixes import KNOWN, UNKNOWN
from payments.reconcile.models import Done, ReconcileRun, label_of
from payments.samples.story import is_made_up


def done_text(done: str) -> str:
    """What was done about a finding."""
    words = {
        Done.PUT_RIGHT: _("put right"),
        Done.TO_BE_PUT_RIGHT: _("to be put right"),
        Done.ASKED: _("a person was asked"),
        Done.LEFT: _("left to the clean-up"),
        Done.FAILED: pgettext("of a comparison", "failed"),
        Done.NOT_CHECKED: _("not checked"),
    }
    return str({str(key): word for key, word in words.items()}.get(done, done))


def _currencies(subjects: Collection[str]) -> dict[str, str]:
    """Of the orders and subscriptions that go by these names; two queries."""
    numbers = {key for name in subjects if (key := read_number(name))}
    orders = {order.number: order.currency for order in Order.objects.filter(pk__in=numbers)}
    subscriptions = Subscription.objects.filter(stripe_id__in=subjects)
    return orders | dict(subscriptions.values_list("stripe_id", "currency"))


def _line(finding: dict[str, str], *, currency: str) -> tuple[str, ...]:
    subject, what, done = finding["subject"], finding["what"], finding["done"]
    here, there = (_value(what, finding[name], currency=currency) for name in ("here", "at_stripe"))
    if done == Done.NOT_CHECKED:
        subject = label_of(subject)
    if is_made_up(what, order_number=subject):
        there = _("%(state)s: made up by a sample event") % {"state": there}
    return subject, name_of(what) if what else "", here, there, done_text(done)


def _value(what: str, stored: str, *, currency: str) -> str:
    """Whether a name is known, or what is stored of it."""
    words = {KNOWN: _("known"), UNKNOWN: _("not known")}
    return words.get(stored) or value_of(what, stored, currency=currency)


@admin.register(ReconcileRun)
class ReconcileRunAdmin(ReadOnlyAdmin):
    """The newest run first."""

    job, position = Job.HEALTH, 1
    list_display = ("started_at", "sentence_text", "since", "until", "is_dry_run", "by", "error")
    list_filter = ("is_dry_run", ("started_at", admin.DateFieldListFilter))
    fields = (
        "sentence_text", ("since", "until"), ("started_at", "finished_at"), ("by", "is_dry_run", "is_continued"),
        "error", "findings_table", "counts_table",
    )  # fmt: skip
    readonly_fields = ("sentence_text", "findings_table", "counts_table")

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
        return _table(lines, heads=heads)

    @admin.display(description=gettext_lazy("counts"))
    def counts_table(self, row: ReconcileRun) -> SafeString:
        """Each number under its name."""
        return _table((capfirst(label_of(name)), str(count)) for name, count in row.counts.items())


def _table(lines: Iterable[tuple[str, ...]], *, heads: tuple[str, ...] = ()) -> SafeString:
    """As wide as there is room; what is wider can be scrolled to."""
    return format_html(
        '<div class="scrolled" tabindex="0"><table>{}<tbody>{}</tbody></table></div>',
        format_html("<thead>{}</thead>", _cells(heads, "th")) if heads else "",
        format_html_join("", "{}", ((_cells(line, "td"),) for line in lines)),
    )


def _cells(words: tuple[str, ...], tag: str) -> SafeString:
    return format_html("<tr>{}</tr>", format_html_join("", f"<{tag}>{{}}</{tag}>", ((word,) for word in words)))
