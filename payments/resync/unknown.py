"""Names that nobody here knows: Stripe is asked whose they are, and what is ours is taken in.

Everything raises UnknownName, which says why nothing was, and what `payments.resync.resync` raises.
"""

from collections.abc import Callable

from django.conf import settings

from payments.apply.references import Match, resolve
from payments.billing.models import Customer, Subscription
from payments.facts import ObjectRefs
from payments.orders.models import Order
from payments.resync.resync import (
    Resynced,
    ResyncOptions,
    resync_customer,
    resync_order,
    resync_person,
    resync_subscription,
)
from payments.stripe_api import lookups
from payments.stripe_api.gateway import Answer, GatewayRefused
from payments.stripe_api.snapshots import (
    Json,
    StripeCharge,
    StripeCheckoutSession,
    StripeCustomer,
    StripeDispute,
    StripeInvoice,
    StripePaymentIntent,
    StripeRefund,
    StripeSubscription,
)


class UnknownName(LookupError):
    """Nothing here goes by that name, and nothing at Stripe could be taken in for it; the text says why."""


NOWHERE = "neither here nor at Stripe does anything go by that name"
# How the names of a kind begin, how it is asked for, and what it is named by.
KINDS: dict[str, tuple[Callable[[str], Answer], Callable[[Json], ObjectRefs]]] = {
    "cs": (lookups.look_up_session, lambda raw: StripeCheckoutSession.read(raw).refs),
    "pi": (lookups.look_up_intent, lambda raw: StripePaymentIntent.read(raw).refs),
    **dict.fromkeys(("ch", "py"), (lookups.look_up_charge, lambda raw: StripeCharge.read(raw).refs)),
    **dict.fromkeys(("re", "pyr"), (lookups.look_up_refund, lambda raw: StripeRefund.read(raw).refs)),
    **dict.fromkeys(("dp", "du"), (lookups.look_up_dispute, lambda raw: StripeDispute.read(raw).refs)),
    "in": (lookups.look_up_invoice, lambda raw: StripeInvoice.read(raw).refs),
    "sub": (lookups.look_up_subscription, lambda raw: StripeSubscription.read(raw).refs),
    "cus": (lookups.look_up_customer, lambda raw: StripeCustomer.read(raw).refs),
}


def resync_order_called(name: str, *, options: ResyncOptions) -> Resynced:
    """The order of this number or name; of a session or payment that is not known here, the one that it names."""
    order = Order.objects.called(name).first()
    if order is not None:
        return resync_order(order, options=options)
    if not name.startswith(("cs_", "pi_")):
        raise UnknownName("no order goes by that name")
    refs = _refs_at_stripe(name, options)
    known = resolve([refs]).find(refs)
    if known is None or known.order_id is None:
        raise UnknownName(f"Stripe knows it, but {_what_it_names(refs)}")
    return resync_order(Order.objects.get(pk=known.order_id), options=options, also={name})


def resync_subscription_called(name: str, *, options: ResyncOptions) -> Resynced:
    """The subscription of this name (`sub_…`); one that lives at Stripe and is ours is learned."""
    if not name.startswith("sub_"):
        raise UnknownName("a subscription is named sub_…")
    was_known = Subscription.objects.filter(stripe_id=name).exists()
    done = resync_subscription(name, options=options)
    if name in done.missing and not was_known:
        raise UnknownName(NOWHERE)
    if done.refusal:
        raise UnknownName(f"Stripe knows it, but it is none of ours: {_why_not_ours(name, options)}")
    return done


def resync_person_called(email: str, *, options: ResyncOptions) -> list[Resynced]:
    """Everything of the person with this address; of one who is not known here, the subscriptions that are ours."""
    if done := resync_person(email, options=options):
        return done
    spellings = dict.fromkeys([email, email.lower()]) if "@" in email else ()
    customers = [raw for each in spellings for raw in options.stripe.call(lookups.customers_called, each)]
    if not customers:
        raise UnknownName("nobody has that address, neither here nor at Stripe")
    names = [StripeCustomer.read(raw).refs.customer for raw in customers]
    listed = [raw for name in names for raw in options.stripe.call(lookups.subscriptions_of, name)]
    found = [resync_subscription(StripeSubscription.read(raw).refs.subscription, options=options) for raw in listed]
    if ours := [each for each in found if not each.refusal]:
        return ours
    raise UnknownName(f"Stripe knows {', '.join(names)}, but no subscription of theirs is ours")


def resync_called(name: str, *, options: ResyncOptions) -> list[Resynced]:
    """The order, else the subscription, else the customer to which any object of Stripe belongs (`re_…`, `in_…`, …)."""
    refs = _refs_at_stripe(name, options)
    known = resolve([refs]).find(refs) or Match()
    if known.order_id is not None:
        return [resync_order(Order.objects.get(pk=known.order_id), options=options, also={name})]
    of_known = Subscription.objects.filter(pk=known.subscription_id or 0).values_list("stripe_id", flat=True).first()
    if subscription := refs.subscription or of_known:
        return [resync_subscription_called(subscription, options=options)]
    customer = Customer.objects.filter(stripe_id=refs.customer).first() if refs.customer else None
    if customer is None:
        raise UnknownName(f"Stripe knows it, but {_what_it_names(refs)}")
    return resync_customer(customer, options=options)


def asked_of_stripe(look_up: Callable[[str], Answer], name: str, options: ResyncOptions) -> Json:
    """The object of this name. Raises UnknownName where Stripe knows none."""
    try:
        return options.stripe.call(look_up, name).raw
    except GatewayRefused as refusal:
        if refusal.code != "resource_missing":
            raise
        raise UnknownName(NOWHERE) from refusal


def _refs_at_stripe(name: str, options: ResyncOptions) -> ObjectRefs:
    """What the object is named by and names."""
    kind = KINDS.get(name.partition("_")[0])
    if kind is None:
        raise UnknownName("nothing of ours is kept by a name of that kind")
    look_up, read = kind
    return read(asked_of_stripe(look_up, name, options))


def _what_it_names(refs: ObjectRefs) -> str:
    if refs.site not in ("", settings.SITE_NAME):
        return f"it was made by another site ({refs.site})"
    named = [name for name in (refs.order, refs.registration) if name]
    return f"what it names is not here: {', '.join(named)}" if named else "it names no order of ours"


def _why_not_ours(name: str, options: ResyncOptions) -> str:
    """Each way in which a subscription may be ours, and what Stripe tells of it."""
    read = StripeSubscription.read(options.stripe.call(lookups.look_up_subscription, name).raw)
    fact = read.to_fact(at=options.at)
    if fact.refs.site not in ("", settings.SITE_NAME):
        return f"it was made by another site ({fact.refs.site})"
    prices, order = ", ".join(fact.prices) or "none", fact.order or "none in its metadata"
    return f"neither its price ({prices}) nor its customer ({fact.refs.customer}) nor its order ({order}) is known here"
