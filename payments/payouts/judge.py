"""Whether a payout adds up: its entries with its amount, each entry with what is known here of the same money."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Count, Sum
from django.utils.translation import gettext_noop

from payments.apply.apply import save_exceptions
from payments.payouts.models import BalanceEntry, Payout
from payments.products import Question, Value, sum_of
from payments.statuses import EntryFinding, EntryKind, ExceptionKind, PayoutStatus

# No money arrives by it.
WITHOUT_MONEY = (PayoutStatus.FAILED, PayoutStatus.CANCELED)
# Each takes the question's values. `amount` is what is at stake.
SUMS_DIFFER = gettext_noop("A payout of %(payout)s does not add up: its entries come to %(entries)s, %(amount)s off")
FAILED = gettext_noop("A payout of %(amount)s failed: %(words)s")
ENTRY_DIFFERS = gettext_noop("In a payout, Stripe has %(entry)s for %(name)s, but %(known)s is known here")
ENTRY_UNKNOWN = gettext_noop("In a payout, Stripe has %(amount)s for %(name)s, of which nothing is known here")
Sums = Mapping[tuple[int, str], int]


def judge(payout: Payout, *, at: datetime) -> Question:
    """Sum the payout up, note what is odd about its entries, and ask staff about it, or ask no more."""
    rows = list(payout.entries.select_related("payment", "refund", "dispute").order_by("created_at", "pk"))
    payout.totals = _totals(payout)
    odd = _note_findings(rows) if payout.is_complete else []
    question = _question(payout, rows, odd)
    can_be_said = payout.is_complete and payout.status not in WITHOUT_MONEY
    payout.adds_up = not question.is_open if can_be_said else None
    payout.save(update_fields=["totals", "adds_up"])
    save_exceptions([question], at=at)
    return question


def _totals(payout: Payout) -> dict[str, dict[str, int]]:
    """Of what is in it; the payout's own entry only says that it has left the balance."""
    sums = {name: Sum(name) for name in ("amount", "fee", "net")}
    inside = payout.entries.exclude(source=payout.stripe_id).values("kind").annotate(count=Count("pk"), **sums)
    rows = inside.order_by("kind").values_list("kind", "count", *sums)
    return {kind: dict(zip(("count", *sums), told, strict=True)) for kind, *told in rows}


def _question(payout: Payout, rows: Iterable[BalanceEntry], odd: list[BalanceEntry]) -> Question:
    """The gravest that there is to ask, of one payout one thing at a time."""
    if payout.status == PayoutStatus.FAILED and not _was_made_up_for(payout):
        amount = sum_of(payout.amount, payout.currency)
        return _asked(payout, FAILED, amount=amount, words=payout.failure or "?")
    total = sum(each.net for each in rows if each.source != payout.stripe_id)
    if payout.is_complete and payout.status not in WITHOUT_MONEY:
        if total != payout.amount:
            return _sums_differ(payout, total)
        if odd:
            return _asked(payout, *_of_entry(odd[0]))
    return Question(ExceptionKind.PAYOUT_MISMATCH, payout.stripe_id, None, is_open=False)


def _was_made_up_for(payout: Payout) -> bool:
    """Whether a later one has arrived: what has failed goes back into the balance, and out with the next."""
    later = Payout.objects.filter(currency=payout.currency, created_at__gt=payout.created_at)
    return later.filter(status=PayoutStatus.PAID, livemode=payout.livemode).exists()


def _sums_differ(payout: Payout, total: int) -> Question:
    sums = {"payout": payout.amount, "entries": total, "amount": abs(payout.amount - total)}
    return _asked(payout, SUMS_DIFFER, **{name: sum_of(each, payout.currency) for name, each in sums.items()})


def _asked(payout: Payout, detail: str, /, *args: Mapping[str, Value], **values: Value) -> Question:
    told = {name: value for each in (*args, values) for name, value in each.items()}
    return Question(ExceptionKind.PAYOUT_MISMATCH, payout.stripe_id, None, True, detail, told)


# One entry and what is known here of the same money.


def _note_findings(rows: list[BalanceEntry]) -> list[BalanceEntry]:
    """Write down what is odd about each; returns those about which something is."""
    sums = _sums_of_payments({row.payment_id for row in rows if row.payment_id and row.kind == EntryKind.PAYMENT})
    moved = []
    for row in rows:
        finding = _finding(row, sums)
        if finding != row.finding:
            row.finding = finding
            moved.append(row)
    BalanceEntry.objects.bulk_update(moved, ["finding"], batch_size=1000)
    return [row for row in rows if row.finding]


def _sums_of_payments(ids: Iterable[int]) -> dict[tuple[int, str], int]:
    """All that Stripe's balance got for these payments, by payment and currency: one may be paid in parts."""
    got = BalanceEntry.objects.filter(payment__in=ids, kind=EntryKind.PAYMENT)
    summed = got.values_list("payment", "original_currency").annotate(total=Sum("original_amount"))
    return {(payment, currency): total for payment, currency, total in summed.order_by("payment")}


def _finding(row: BalanceEntry, sums: Sums) -> EntryFinding:
    if row.kind not in (EntryKind.PAYMENT, EntryKind.REFUND, EntryKind.DISPUTE):
        return EntryFinding.NONE
    known = _known(row)
    if known is None:
        is_ours = row.names_ours or row.payment_id is not None
        return EntryFinding.UNKNOWN if is_ours else EntryFinding.NONE
    return EntryFinding.NONE if known == _told(row, sums) else EntryFinding.DIFFERS


def _told(row: BalanceEntry, sums: Sums) -> tuple[int, str]:
    """What Stripe says, as we count it: the whole of a payment, a refund or a dispute without its sign."""
    if row.kind == EntryKind.PAYMENT and row.payment_id:
        return sums.get((row.payment_id, row.original_currency), 0), row.original_currency
    return abs(row.original_amount), row.original_currency


def _known(row: BalanceEntry) -> tuple[int, str] | None:
    """What is known here; None: nothing."""
    if row.kind == EntryKind.PAYMENT:
        payment = row.payment
        return (payment.received - payment.off_stripe, payment.currency) if payment else None
    about = row.refund if row.kind == EntryKind.REFUND else row.dispute
    return (about.amount, about.currency) if about else None


def _of_entry(row: BalanceEntry) -> tuple[str, Mapping[str, Value]]:
    """The sentence about it, and its values."""
    told, known, name = (abs(row.original_amount), row.original_currency), _known(row), row.source or row.stripe_id
    if known is None:
        return ENTRY_UNKNOWN, {"amount": sum_of(*told), "name": name}
    at_stake = (abs(told[0] - known[0]) or told[0], told[1]) if told[1] == known[1] else told
    return ENTRY_DIFFERS, {"amount": sum_of(*at_stake), "entry": sum_of(*told), "known": sum_of(*known), "name": name}
