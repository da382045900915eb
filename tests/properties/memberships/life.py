"""One person who subscribes at the Stripe emulator: what they do, and what happens to them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import stripe
from django.conf import settings

from payments.billing.models import Plan
from payments.orders.models import CheckoutAttempt, Order, Reference
from payments.orders.opening import open_order
from stripe_emulator import clock, store, timers
from stripe_emulator.behaviour.payment_intents import authenticate
from stripe_emulator.errors import CardDeclined
from tests.support.billing import HOUR, MINUTE, customer_with, period_of
from tests.support.checkout_sessions import ADA, answering, session_params
from tests.support.emulator import official_client

SPACE = UUID(int=11)
MONTHLY, YEARLY, DEARER, YEN = 400, 3000, 500, 600
# What is on sale: amount, currency, interval.
PLANS = {
    "monthly": (MONTHLY, "eur", "month"),
    "yearly": (YEARLY, "eur", "year"),
    "gold": (DEARER, "eur", "month"),
    "kyoto": (YEN, "jpy", "month"),
    "gift": (0, "eur", "month"),
}
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Life:
    """The official client, the prices of our plans by slug, and what the person has begun last."""

    api: Any = field(default_factory=lambda: official_client().v1)
    prices: dict[str, Any] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    session: str = ""
    subscription: str = ""
    customer: str = ""

    # What we sell.

    def price(self, slug: str) -> Any:
        """The price at Stripe of this plan, which we sell from the first time on that anybody asks for it."""
        if slug not in self.prices:
            amount, currency, interval = PLANS[slug]
            price = self.priced(slug, amount, currency=currency, interval=interval).id
            told = {"name": slug, "amount": amount, "currency": currency, "interval": interval, "price": price}
            Plan.objects.update_or_create(slug=slug, defaults=told)
        return self.prices[slug]

    def priced(self, slug: str, amount: int, *, currency: str = "eur", interval: str = "month") -> Any:
        """A price at Stripe that is no plan's: what other products of the account sell, too."""
        told = {"unit_amount": amount, "currency": currency, "recurring": {"interval": interval}}
        self.prices[slug] = self.api.prices.create({"product_data": {"name": slug}, **told})
        return self.prices[slug]

    def replaces_price(self, slug: str, amount: int) -> None:
        """Staff set another amount: new buyers pay it, who has subscribed before keeps what they have."""
        former, now = self.price(slug).id, self.priced(slug, amount).id
        Plan.objects.filter(slug=slug).update(price=now, former_prices=[former], amount=amount)

    # Through Checkout, with an order of ours.

    def checks_out(self, slug: str = "monthly", *, method: str = "visa", **told: Any) -> None:
        """An order, its session, and the buyer's payment."""
        self.opens_checkout(slug, **told)
        self.confirms(method)

    def has_ordered(self, slug: str = "monthly") -> None:
        """An order, and nothing at Stripe yet."""
        price = self.price(slug)
        self.orders.append(_order(len(self.orders), price, plan=Plan.objects.filter(slug=slug).first()))

    def opens_checkout(
        self, slug: str = "monthly", *, is_answered: bool = True, line: Any = None, is_again: bool = False, **data: Any
    ) -> None:
        """The session. `is_answered`: its id came back to us; `is_again`: one more of the same order."""
        if not is_again:
            self.has_ordered(slug)
        order, attempt = self.orders[-1], 2 if is_again else 1
        names = {"orderId": str(order.public_id), "attempt": str(attempt), "site": settings.SITE_NAME}
        params = session_params(
            mode="subscription",
            line_items=[line or {"price": self.price(slug).id, "quantity": 1}],
            client_reference_id=str(order.public_id),
            customer=self.customer or None,
            metadata=names,
            subscription_data={"metadata": {**names, "plan": slug}, **data},
        )
        self.session = self.api.checkout.sessions.create(params).id
        if is_answered:
            _keep_answer(order, attempt, self.session)

    def confirms(self, method: str = "visa", *, session: str = "") -> None:
        """What the page does when the buyer presses its button; a decline is an answer like another."""
        path = f"/v1/payment_pages/{session or self.session}/confirm"
        with suppress(stripe.CardError):
            answer = official_client().raw_request("post", path, payment_method=self.new_method(method))
            self._look(answer.data)

    def answers(self, *, succeeded: bool) -> None:
        """The bank's question on the Checkout page."""
        with suppress(CardDeclined):
            self._look(answering(self.session, succeeded=succeeded).data)

    def lets_it_expire(self) -> None:
        self.api.checkout.sessions.expire(self.session)

    def _look(self, session: Mapping[str, Any]) -> None:
        self.subscription, self.customer = session["subscription"] or "", session["customer"] or ""

    def new_method(self, name: str) -> str:
        """A new card or bank account of theirs: the name of a test card, or an IBAN."""
        is_debit = name[:2].isupper()
        kind: dict[str, Any] = {"sepa_debit": {"iban": name}} if is_debit else {"card": {"token": f"tok_{name}"}}
        told = {"type": "sepa_debit" if is_debit else "card", "billing_details": ADA, **kind}
        return str(self.api.payment_methods.create(told).id)

    # Begun at Stripe: imported, made by hand in its Dashboard, or by another product.

    def is_known_at_stripe(self, method: str = "visa") -> None:
        """Without a `method` they have nothing to pay with."""
        fields = {"name": "Ada"}
        made = customer_with(self.api, f"pm_card_{method}", **fields) if method else self.api.customers.create(fields)
        self.customer = made.id

    def is_subscribed(self, slug: str = "monthly", *, method: str = "visa", **params: Any) -> None:
        """A subscription of which no order of ours knows."""
        if not self.customer:
            self.is_known_at_stripe(method)
        elif self.subscription:
            params["default_payment_method"] = self.stripe.default_payment_method
        items = [{"price": self.price(slug).id}]
        self.subscription = self.api.subscriptions.create({"customer": self.customer, "items": items, **params}).id

    # What happens later.

    def passes(self, seconds: int) -> None:
        timers.advance(seconds)

    def renews(self, times: int = 1) -> None:
        """To the end of the period, and until its invoice was tried."""
        for _ in range(times):
            _, end = period_of(self.api, self.stripe)
            self.passes(end - clock.now_for(store.get("subscription", self.subscription)) + HOUR + MINUTE)

    @property
    def stripe(self) -> Any:
        return self.api.subscriptions.retrieve(self.subscription)

    def changes(self, **params: Any) -> None:
        self.api.subscriptions.update(self.subscription, params)

    def changes_item(self, **fields: Any) -> None:
        """Another price or quantity, not prorated: what that comes to depends on how long the month is."""
        self.changes(items=[{"id": self.stripe["items"].data[0].id, **fields}], proration_behavior="none")

    def pays_with(self, method: str) -> None:
        """Another card or bank account, from the next try on."""
        attached = self.api.payment_methods.attach(self.new_method(method), {"customer": self.customer})
        self.api.customers.update(self.customer, {"invoice_settings": {"default_payment_method": attached.id}})
        self.changes(default_payment_method=attached.id)

    def cancels(self) -> None:
        self.api.subscriptions.cancel(self.subscription)

    # Invoices and what went back.

    def invoice(self, number: int = -1) -> Any:
        """The newest, or the n-th that there was."""
        return list(self.api.invoices.list({"subscription": self.subscription}).data)[::-1][number]

    def pays(self, **params: Any) -> None:
        """The newest invoice, by hand; a question or a refusal of the bank is an answer like another."""
        with suppress(stripe.CardError):
            self.api.invoices.pay(self.invoice().id, params)

    def authenticates(self) -> None:
        """They answer the question of the bank about the newest invoice."""
        intent = store.get("payment_intent", self.intent_of(self.invoice()), lock=True)
        authenticate(intent, at=clock.now_for(intent), succeeded=True)

    def intent_of(self, invoice: Any) -> str:
        (payment,) = self.api.invoice_payments.list({"invoice": invoice.id}).data
        return str(payment.payment.payment_intent)

    def refunds(self, amount: int | None = None, *, number: int = 0) -> None:
        """Money of the n-th invoice goes back."""
        params: dict[str, Any] = {"payment_intent": self.intent_of(self.invoice(number))}
        self.api.refunds.create({**params, **({"amount": amount} if amount else {})})

    def disputes(self) -> Any:
        """The newest dispute."""
        return self.api.disputes.list().data[0]


def _order(number: int, price: Any, *, plan: Plan | None) -> Order:
    order = Order(
        public_id=uuid5(SPACE, str(number)), kind="plan", plan=plan, email="ada@example.com", label="Plan",
        amount=price.unit_amount, currency=price.currency, created_at=NOON,
    )  # fmt: skip
    return open_order(order, names=[], expires_at=None, at=NOON)


def _keep_answer(order: Order, attempt: int, session: str) -> None:
    """Stripe's answer has told us the session's id."""
    CheckoutAttempt.objects.update_or_create(
        order=order, number=attempt, defaults={"session": session, "created_at": NOON}
    )
    Reference.objects.create(name=session, order=order, attempt=attempt)
