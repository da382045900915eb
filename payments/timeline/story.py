"""The story of an order, a subscription or a person: every source asked once, the newest moments kept, newest last."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from accounts.models import User
from payments.billing.models import Subscription
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order, OrderChange
from payments.products import all_products
from payments.timeline.events import changes_of, events_of, owned_by, told_by_events
from payments.timeline.messages import effects_of, told_by_effects, told_by_questions
from payments.timeline.moments import Kind, Moment
from payments.timeline.statements import Statement, statement_of

T = TypeVar("T")
Row = TypeVar("Row", OrderChange, PaymentEvent, Effect)
OF_ORDER = ("payments.order",)
# Of each source, and of the whole.
NEWEST = 100


@dataclass(frozen=True, slots=True)
class Subject:
    """What a story is about. `user`: the person whose all of this is; their own doings are told as well."""

    statements: Sequence[Statement]
    user: User | None = None
    known: dict[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, *owners: Order | Subscription | None) -> "Subject":
        """These, as far as there are any."""
        return cls([statement_of(owner) for owner in owners if owner is not None])

    @property
    def orders(self) -> list[Order]:
        """The orders among them."""
        return [each.order for each in self.statements if each.order]

    @property
    def subscriptions(self) -> list[Subscription]:
        """The subscriptions among them."""
        return [each.subscription for each in self.statements if each.subscription]

    def once(self, name: str, load: Callable[[], T]) -> T:
        """What is loaded under this name, loaded once: products are asked several things about the same rows."""
        if name not in self.known:
            self.known[name] = load()
        found: T = self.known[name]
        return found

    def part(self, told: Statement, rows: Iterable[Row]) -> list[Row]:
        """Those that belong to it. Of what belongs to a subscription and to the order that began it, the order's."""
        if told.order:
            return [row for row in rows if row.order_id == told.owner.pk]
        orders = {order.pk for order in self.orders}
        return [row for row in rows if row.subscription_id == told.owner.pk and row.order_id not in orders]


@dataclass(frozen=True, slots=True)
class Story:
    """The moments, the newest last. `is_cut`: there were more, which are left out."""

    moments: Sequence[Moment]
    is_cut: bool = False


def story(subject: Subject, *, at: datetime, limit: int = NEWEST, with_events: bool = True) -> Story:
    """What happened, in the language that is active. `limit`: of each source and in all.

    `with_events` False leaves out the events that changed nothing, which nobody looks for in the story of a person.
    Queries: three and those of the products, however much there is.
    """
    owned = owned_by(subject.statements)
    events = list(events_of(owned, limit=limit + 1)) if with_events else []
    return tell(subject, events, list(effects_of(owned, limit=limit + 1)), at=at, limit=limit)


def tell(
    subject: Subject, events: Sequence[PaymentEvent], effects: Sequence[Effect], *, at: datetime, limit: int = NEWEST
) -> Story:
    """As `story`, where events (`with_tries`) and effects are known."""
    changes = list(changes_of(owned_by(subject.statements), limit=limit + 1))
    moments = [*told_by_products(subject, at=at), *told_by_person(subject.user)]
    for told in subject.statements:
        moments += told_by_events(subject.part(told, changes), subject.part(told, events), told)
        moments += told_by_effects(subject.part(told, effects), told)
        moments += told_by_questions(told.questions)
        moments += _of_order(told.order, told) if told.order else told_by_subscription(told.subscription)
    moments.sort(key=lambda moment: moment.order)
    is_cut = any(len(rows) > limit for rows in (changes, events, effects, moments))
    return Story(moments[-limit:], is_cut)


def told_by_products(subject: Subject, *, at: datetime) -> Iterator[Moment]:
    """What each product knows of it."""
    for product in all_products():
        yield from product.story(subject, at=at)


def _of_order(order: Order, told: Statement) -> Iterator[Moment]:
    """What the buyer did on the way to the payment."""
    price = order.price if order.amount else _("free of charge")
    yield Moment(
        order.created_at,
        Kind.BUYER,
        _("Ordered: %(what)s, %(price)s.") % {"what": order.label, "price": price},
        tells_of=OF_ORDER,
    )
    for attempt in told.checkouts:
        if attempt.session:
            yield Moment(
                attempt.created_at, Kind.BUYER, _("Opened the payment page.") if attempt.number == 1 else
                _("Opened the payment page again, number %(number)d.") % {"number": attempt.number},
                detail=attempt.session, tells_of=OF_ORDER,
            )  # fmt: skip
        if attempt.return_asked_at:
            yield Moment(attempt.return_asked_at, Kind.BUYER, _("Came back from the payment page."), tells_of=OF_ORDER)


def told_by_subscription(row: Subscription | None) -> Iterator[Moment]:
    """What it says of itself, whichever event told it."""
    if row is None:
        return
    plan, about = str(row.plan or row.stripe_id), ("payments.subscription",)
    if row.started_at:
        yield Moment(row.started_at, Kind.BUYER, _("The subscription began."), detail=plan, tells_of=about)
    if row.period_start and row.period_start != row.started_at:
        yield Moment(row.period_start, Kind.SYSTEM, _("The present period began."), detail=plan, tells_of=about)
    if row.canceled_at:
        yield Moment(row.canceled_at, Kind.SYSTEM, _("The end of the subscription was asked for."), tells_of=about)


def told_by_person(user: User | None) -> Iterator[Moment]:
    """What somebody did with their account."""
    if user is None:
        return
    about = ("accounts.user",)
    yield Moment(user.date_joined, Kind.BUYER, _("Account created."), detail=user.email, tells_of=about)
    if user.email_confirmed_at:
        yield Moment(
            user.email_confirmed_at, Kind.BUYER, _("E-mail address confirmed."), tells_of=about,
            detail=_("The link that was sent to this address has been opened."),
        )  # fmt: skip
    if user.last_login:
        yield Moment(
            user.last_login, Kind.BUYER, _("Signed in."), tells_of=about,
            detail=_("The last time; earlier ones are not kept."),
        )  # fmt: skip
