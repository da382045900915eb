"""An order of another system becomes one of ours, by the road that all take: opened, and told where it stands by facts.

What was paid is a payment with its old moment. What is known already hears the same facts again, and moves where they
are news.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from payments.apply.apply import apply
from payments.apply.batch import ApplyResult, FactSet
from payments.billing.models import Payment
from payments.facts import Fact, ObjectRefs, OrderFact, PaymentFact
from payments.ledger.record import requeue_naming
from payments.moving_in.files import Row
from payments.moving_in.importers import Importer, Outcome, Result, RowRefused
from payments.moving_in.values import Column, address, amount, currency, moment, old_id, optional, status, stripe_name
from payments.names import ORDER
from payments.orders.fold import attempt_key
from payments.orders.models import Order, Reference
from payments.orders.opening import Opening, open_orders
from payments.sql import plan_for_few_rows
from payments.statuses import WAS_PAID, OrderStatus

# As long as a Checkout session of Stripe's can be paid, where nobody says: docs.stripe.com/api/checkout/sessions
USUAL_SESSION_LIFE = timedelta(hours=24)
SOURCE = "import"
COLUMNS: Sequence[Column] = (
    Column("id", old_id, is_unique=True),
    Column("email", address),
    Column("amount", amount),
    optional("currency", currency, fallback="eur"),
    Column("status", status),
    Column("created_at", moment),
    optional("updated_at", moment),
    optional("paid_at", moment),
    optional("amount_refunded", amount, fallback=0),
    optional("stripe_session_id", stripe_name("cs_"), fallback="", is_unique=True),
    optional("stripe_payment_intent_id", stripe_name("pi_"), fallback="", is_unique=True),
    optional("expires_at", moment),
)


@dataclass(slots=True)
class Draft:
    """An order that is to be opened for this row. `names`: what else it is called; `thing`: what it buys, not saved."""

    row: Row
    order: Order
    names: Sequence[str]
    thing: Any = None
    notes: list[str] = field(default_factory=list)

    @property
    def expires_at(self) -> datetime:
        """Until when it can be paid in the session that the old system has opened."""
        end: datetime = self.row["expires_at"] or self.row["created_at"] + USUAL_SESSION_LIFE
        return end

    @property
    def is_paid(self) -> bool:
        return self.row["paid_at"] is not None


class OrderImporter(Importer):
    """Rows that are orders, each with what it buys; what that is, an app says."""

    def known_orders(self, ids: Collection[str]) -> Mapping[str, int]:
        """The keys of the orders that are there already, by their old id."""
        raise NotImplementedError

    def drafts(self, rows: Sequence[Row], *, at: datetime) -> Sequence[Draft | RowRefused]:
        """What is to be opened for each of these rows, in their order; nothing is written of it."""
        raise NotImplementedError

    def admit(self, drafts: Sequence[Draft], *, at: datetime) -> Mapping[int, RowRefused]:
        """Which of them cannot be taken after all, by the row's number; the last look before they are opened."""
        return {}

    def keep(self, drafts: Sequence[Draft], *, at: datetime) -> None:
        """Write down what their orders buy, which are saved by now."""

    def tell(self, drafts: Sequence[Draft]) -> None:
        """Note what is worth knowing of each, now that all has been followed."""

    def take(self, rows: Sequence[Row], *, at: datetime, is_dry_run: bool) -> Sequence[Result]:
        plan_for_few_rows()
        results: dict[int, Result] = {}
        sound = [row for row in rows if not _refuse(row, results, lambda row: require_sound(row, at=at))]
        known = self.known_orders([row.id for row in sound])
        results |= _hear_again([row for row in sound if row.id in known], known, kind=self.kind, at=at)
        results |= self._take_new([row for row in sound if row.id not in known], at=at)
        return [results[row.number] for row in rows]

    def _take_new(self, rows: Sequence[Row], *, at: datetime) -> dict[int, Result]:
        drawn = zip(rows, self.drafts(rows, at=at), strict=True) if rows else ()
        refused = {}
        drafts = []
        for row, draft in drawn:
            if isinstance(draft, RowRefused):
                refused[row.number] = draft
            else:
                drafts.append(draft)
        refused |= _named_otherwise(drafts)
        drafts = [draft for draft in drafts if draft.row.number not in refused]
        refused |= self.admit(drafts, at=at)
        drafts = [draft for draft in drafts if draft.row.number not in refused]
        self._open(drafts, at=at)
        self.tell(drafts)
        created = {draft.row.number: Result(Outcome.CREATED, " ".join(draft.notes)) for draft in drafts}
        return {number: refusal.result for number, refusal in refused.items()} | created

    def _open(self, drafts: Sequence[Draft], *, at: datetime) -> None:
        if not drafts:
            return
        openings = [
            Opening(each.order, each.names, each.expires_at, each.row["stripe_session_id"]) for each in drafts
        ]  # fmt: skip
        open_orders(openings, at=at)
        self.keep(drafts, at=at)
        hear([(each.row, str(each.order.public_id)) for each in drafts], kind=self.kind, at=at)


def _refuse(row: Row, results: dict[int, Result], check: Any) -> bool:
    try:
        check(row)
    except RowRefused as refusal:
        results[row.number] = refusal.result
        return True
    return False


def new_order(row: Row, *, kind: str, label: str) -> Order:
    """The order of this row, not saved."""
    return Order(
        kind=kind, email=row["email"], label=label[:200], amount=row["amount"], currency=row["currency"],
        livemode=settings.STRIPE_LIVEMODE, created_at=row["created_at"],
    )  # fmt: skip


def require_sound(row: Row, *, at: datetime) -> None:
    """What the row says of its money must agree with itself. Raises RowRefused."""
    for name in ("created_at", "updated_at", "paid_at"):
        if row[name] and row[name] > at:
            raise RowRefused(name, "This lies in the future.")
    if row["status"] in WAS_PAID and not row["paid_at"]:
        raise RowRefused("paid_at", "It is paid, and nothing says when.")
    if row["amount_refunded"] > row["amount"]:
        raise RowRefused("amount_refunded", "More was refunded than the whole amount.")
    if row["amount_refunded"] and not row["paid_at"]:
        raise RowRefused("paid_at", "Something was refunded, and nothing says when it was paid.")
    is_named = row["stripe_session_id"] or row["stripe_payment_intent_id"]
    if row["paid_at"] and row["amount"] and not is_named:
        told = "It is paid, and neither its session nor its payment at Stripe is named; what Stripe did not take is 0."
        raise RowRefused("stripe_session_id", told)


def facts_of(row: Row, order: str) -> list[Fact]:
    """Where the order (by its public id) stands, as Stripe would have told it. What has a moment of payment is paid."""
    refs = ObjectRefs(
        session=row["stripe_session_id"], payment_intent=row["stripe_payment_intent_id"], order=order, attempt=1
    )
    if row["paid_at"] and row["amount"]:
        refunded = row["amount"] if row["status"] == OrderStatus.REFUNDED else row["amount_refunded"]
        return [PaymentFact(refs, row["amount"], row["currency"], row["paid_at"], refunded=refunded)]
    if row["paid_at"]:
        return [OrderFact(refs, OrderStatus.PAID, row["paid_at"])]
    if row["status"] == OrderStatus.PENDING:
        return []
    return [OrderFact(refs, row["status"], row["updated_at"] or row["created_at"])]


def hear(rows: Iterable[tuple[Row, str]], *, kind: str, at: datetime) -> dict[int, ApplyResult]:
    """Let the road hear of each row and its order. Returns what came of it by the row's number."""
    told = [(row, facts) for row, order in rows if (facts := facts_of(row, order))]
    sets = [FactSet(facts, source=f"{SOURCE}: {kind}", occurred_at=facts[0].occurred_at) for _row, facts in told]
    if not sets:
        return {}
    report = apply(sets, at=at)
    for applied in report.applied:
        if applied.error:
            raise applied.error
    requeue_naming(report.new_references, at=at)
    return {row.number: applied for (row, _facts), applied in zip(told, report.applied, strict=True)}


def _hear_again(rows: Sequence[Row], known: Mapping[str, int], *, kind: str, at: datetime) -> dict[int, Result]:
    """Rows whose order is here: what was sold stays as it is; what became of it may be news."""
    orders = Order.objects.in_bulk([known[row.id] for row in rows])
    payments = {row.key: row for row in Payment.objects.filter(order__in=orders)}
    results: dict[int, Result] = {}
    heard = []
    for row in rows:
        order = orders[known[row.id]]
        if (order.amount, order.currency) != (row["amount"], row["currency"]):
            told = f"{order.number} is here already, for {order.price}: what was sold is not changed."
            results[row.number] = RowRefused("amount", told).result
        elif all(_is_known(fact, order, payments) for fact in facts_of(row, str(order.public_id))):
            results[row.number] = _moved(order, None)
        else:
            heard.append((row, order))
    applied = hear([(row, str(order.public_id)) for row, order in heard], kind=kind, at=at)
    for row, order in heard:
        results[row.number] = _moved(order, applied.get(row.number))
    return results


def _is_known(fact: Fact, order: Order, payments: Mapping[str, Payment]) -> bool:
    """Whether it would be no news: told once more it would only fill the log."""
    if isinstance(fact, PaymentFact):
        payment = payments.get(fact.key)
        return bool(payment and payment.received >= fact.received and payment.charge_refunded >= fact.refunded)
    if isinstance(fact, OrderFact) and fact.status != OrderStatus.PAID:
        known = attempt_key(order.attempt_number, order.attempt_status, order.attempt_at)
        return attempt_key(1, fact.status, fact.occurred_at) <= known
    return order.settled_at is not None


def _moved(order: Order, applied: ApplyResult | None) -> Result:
    changes = [change for change in applied.folded.changes if change[0] != "superseded"] if applied else []
    if not changes:
        return Result(Outcome.THERE, order.number)
    words = ", ".join(f"{what}: {before or '–'} → {after or '–'}" for what, before, after in changes)
    return Result(Outcome.CHANGED, f"{order.number}: {words}")


def _named_otherwise(drafts: Sequence[Draft]) -> dict[int, RowRefused]:
    """Drafts of which a name belongs to something else already."""
    refused: dict[int, RowRefused] = {}
    wanted = {
        name: (draft, column)
        for draft in drafts
        for column, names in (
            ("id", draft.names),
            ("stripe_session_id", [draft.row["stripe_session_id"]]),
            ("stripe_payment_intent_id", [draft.row["stripe_payment_intent_id"]]),
        )
        for name in names
        if name
    }
    rows = Reference.objects.filter(name__in=wanted).select_related("order", "subscription")
    taken = {row.name: row for row in rows}
    for name, (draft, column) in wanted.items():
        if row := taken.get(name):
            owner = row.order.number if row.order else row.subscription or "a customer"
            refused.setdefault(draft.row.number, RowRefused(column, f"{name} belongs to {owner} already."))
    return refused


def names_of_order(row: Row) -> list[str]:
    """Under which name the old id of an order is found, however it is typed."""
    return [*dict.fromkeys([f"{ORDER}{row.id}", f"{ORDER}{row.id.lower()}"])]
