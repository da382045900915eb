"""Keeps what Stripe has told of its balance: each entry once, with the payment, refund or dispute that it is about."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from payments.apply.references import is_foreign, resolve
from payments.billing.models import Dispute, Payment, Refund
from payments.payouts.models import BalanceEntry, Payout
from payments.stripe_api.snapshots import StripeEntry, StripePayout

TOLD = (
    "kind", "type", "amount", "fee", "net", "currency", "original_amount", "original_currency", "source", "created_at",
    "available_at", "names_ours", "payment", "refund", "dispute",
)  # fmt: skip


def keep_payout(told: StripePayout, *, at: datetime) -> Payout:
    """The payout's row as Stripe tells it now, locked until the transaction ends."""
    row, _is_new = Payout.objects.select_for_update().update_or_create(
        stripe_id=told.id,
        defaults={
            "amount": told.amount, "currency": told.currency, "status": told.status, "failure": told.failure,
            "is_automatic": told.is_automatic, "is_complete": told.is_complete, "arrival_date": told.arrival_date,
            "created_at": told.created_at, "livemode": told.livemode, "read_at": at,
        },
    )  # fmt: skip
    return row


def keep_entries(told: Sequence[StripeEntry], *, payout: Payout | None = None) -> None:
    """The entries' rows as Stripe tells them now. `payout`: in which they are; None leaves what is known of that."""
    rows = _rows({entry.id: entry for entry in told}.values())
    for row in rows:
        row.payout = payout
    BalanceEntry.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["stripe_id"], update_fields=[*TOLD, *(["payout"] if payout else [])]
    )


def release_others(payout: Payout, names: Iterable[str]) -> None:
    """What Stripe no longer lists in the payout is in it no more."""
    payout.entries.exclude(stripe_id__in=list(names)).update(payout=None)


def _rows(told: Iterable[StripeEntry]) -> list[BalanceEntry]:
    entries = list(told)
    sources = {entry.source for entry in entries if entry.source}
    names = resolve([entry.refs for entry in entries])
    keys = {entry.id: names.payment_of(entry.refs) for entry in entries}
    payments = Payment.objects.in_bulk({key for key in keys.values() if key}, field_name="key")
    refunds = Refund.objects.in_bulk(sources, field_name="stripe_id")
    disputes = Dispute.objects.in_bulk(sources, field_name="stripe_id")
    return [
        BalanceEntry(
            stripe_id=entry.id, kind=entry.kind, type=entry.type, amount=entry.amount, fee=entry.fee, net=entry.net,
            currency=entry.currency, original_amount=entry.original[0], original_currency=entry.original[1],
            source=entry.source, created_at=entry.created_at, available_at=entry.available_at,
            names_ours=bool(entry.refs.our_references()) and not is_foreign(entry.refs),
            payment=payments.get(keys[entry.id]), refund=refunds.get(entry.source),
            dispute=disputes.get(entry.source),
        )
        for entry in entries
    ]  # fmt: skip
