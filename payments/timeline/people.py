"""A person: their account, who they are at Stripe, what they subscribed to, ordered and have; and how that stands."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from payments.billing.models import Customer, Subscription
from payments.orders.models import Order
from payments.products import all_products
from payments.resync import belongs_to
from payments.timeline.moments import Holding
from payments.timeline.standing import standing, total_of
from payments.timeline.statements import Statement, statements_of
from payments.timeline.story import Subject

# The newest of each; whoever has more is no person.
MOST_ORDERS, MOST_SUBSCRIPTIONS = 50, 50


@dataclass(slots=True)
class Person:
    """With an account, or as Stripe alone knows them. Subscriptions and orders: the newest first."""

    user: User | None
    customers: Sequence[Customer]
    subscriptions: Sequence[Statement]
    orders: Sequence[Statement]
    subject: Subject = field(init=False)

    def __post_init__(self) -> None:
        self.subject = Subject([*self.orders, *self.subscriptions], user=self.user)

    @classmethod
    def of_user(cls, user: User) -> "Person":
        """Three queries."""
        return cls._of(user, list(Customer.objects.filter(belongs_to(user)).order_by("-pk")), belongs_to(user))

    @classmethod
    def of_customer(cls, customer: Customer) -> "Person":
        """Their account, if they have one, is theirs as well; else what their address was given for."""
        if customer.user:
            return cls.of_user(customer.user)
        return cls._of(None, [customer], Q(email=customer.email) if customer.email else Q(pk__in=[]))

    @classmethod
    def _of(cls, user: User | None, customers: Sequence[Customer], owned: Q) -> "Person":
        rows = Subscription.objects.filter(customer__in=customers).select_related("plan", "customer").order_by("-pk")
        orders = Order.objects.filter(owned).order_by("-created_at", "-pk")[:MOST_ORDERS]
        subscriptions = statements_of(rows[:MOST_SUBSCRIPTIONS]) if customers else []
        return cls(user, customers, subscriptions, statements_of(orders))

    @property
    def statements(self) -> Iterator[Statement]:
        """All that they have money in."""
        return chain(self.subscriptions, self.orders)

    def holdings(self, *, at: datetime) -> list[Holding]:
        """What they have and had, product by product."""
        return [each for product in all_products() for each in product.holdings(self.subject, at=at)]

    def standing(self, shown: Callable[[Statement], Statement] = lambda told: told) -> str:
        """One sentence: what they subscribe to, what they paid, what is open. `shown`: what may be told of each."""
        subscriptions, orders = map(shown, self.subscriptions), map(shown, self.orders)
        parts = self._parts(list(subscriptions), list(orders))
        return str(capfirst(", ".join(filter(None, parts)))) or _("Nothing bought yet")

    def _parts(self, subscriptions: Sequence[Statement], orders: Sequence[Statement]) -> Iterator[str]:
        statements = [*subscriptions, *orders]
        for told in subscriptions:
            if told.subscription and not told.subscription.has_ended:
                yield f"{told.subscription.plan or told.name} ({standing(told)})"
        if count := len(orders):
            yield ngettext("%(count)d order", "%(count)d orders", count) % {"count": count}
        payments = [payment for told in statements for payment in told.payments]
        if paid := total_of(payments, lambda each: each.received):
            yield _("paid %(amount)s") % {"amount": paid}
        if refunded := total_of(payments, lambda each: each.refunded):
            yield _("%(amount)s refunded") % {"amount": refunded}
        kinds = Counter(str(each.get_kind_display()) for told in statements for each in told.open_questions)
        if kinds:
            yield _("open question: %(kinds)s") % {"kinds": ", ".join(kinds)}
