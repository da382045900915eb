"""The walks through what is done with subscriptions, with whoever pays them, and with the questions about them."""

from django.utils import timezone

from accounts.hooks import Ending
from accounts.models import User
from payments.billing.models import Customer, Plan, Subscription
from payments.effects.models import Effect
from payments.facts import ObjectRefs, RefundFact
from payments.names import REFUND_KIND
from payments.orders.models import OrderException
from payments.statuses import ExceptionKind
from payments.subscribing import ask_about_closed_accounts
from payments.subscribing.ending import SUBSCRIPTION_END
from tests.staff_browser.clerk import REASON, Clerk, walk
from tests.support.everything import subscribe
from tests.support.factories import UserFactory
from tests.support.road import NOON
from tests.support.subscriber import make_subscriber, make_user
from tests.support.subscriptions import tell


def make_subscription(name: str) -> Subscription:
    """One that Stripe knows, and the first year is paid."""
    user = make_user(f"{name}@example.com")
    return Subscription.objects.get(stripe_id=make_subscriber(user, Plan.objects.get(slug="yearly")))


def refund_the_month(subscription: Subscription) -> OrderException:
    """All that the running period has paid went back; what is asked about it."""
    payment = subscription.payments.get()
    refs = ObjectRefs(invoice=payment.key, subscription=subscription.stripe_id)
    tell(
        RefundFact(
            refs=refs, refund=f"re_{payment.key}", amount=payment.received, currency=payment.currency,
            status="succeeded", occurred_at=payment.paid_at or NOON,
        )
    )  # fmt: skip
    return subscription.exceptions.get(kind=ExceptionKind.PERIOD_REFUNDED)


def switch_off(name: str) -> OrderException:
    """The account of a subscriber, whose subscription goes on."""
    subscription = subscribe(name)
    Customer.objects.filter(subscriptions=subscription).update(user=UserFactory.create(is_active=False))
    ask_about_closed_accounts(at=timezone.now())
    return subscription.exceptions.get(kind=ExceptionKind.ACCOUNT_CLOSED)


@walk("subscription.refund_subscription_action")
def refund_a_subscription(clerk: Clerk) -> None:
    subscription = Subscription.objects.get(stripe_id="sub_ada")

    clerk.does(subscription)

    assert subscription.effects.filter(kind=REFUND_KIND).count() == 1


@walk("subscription.cancel_subscription")
def cancel_a_subscription(clerk: Clerk) -> None:
    subscription = make_subscription("hedy")

    clerk.does(subscription)

    subscription.refresh_from_db()
    assert subscription.has_ended


@walk("subscription.give_back")
def give_an_access_back(clerk: Clerk) -> None:
    subscription = subscribe("emmy")
    refund_the_month(subscription)

    clerk.does(subscription)

    subscription.refresh_from_db()
    assert not subscription.money_back


@walk("subscription.resync_subscription_action")
def compare_a_subscription(clerk: Clerk) -> None:
    subscription = make_subscription("karen")
    subscription.payments.update(received=100)

    clerk.does(subscription)

    assert subscription.payments.get().received == subscription.amount


@walk("customer.resync_customer_action")
def compare_a_customer(clerk: Clerk) -> None:
    subscription = make_subscription("radia")
    subscription.payments.update(received=100)

    clerk.does(Customer.objects.get(subscriptions=subscription))

    assert subscription.payments.get().received == subscription.amount


@walk("user.resync_user_action")
def compare_a_person(clerk: Clerk) -> None:
    subscription = make_subscription("barbara")
    subscription.payments.update(received=100)

    clerk.does(User.objects.get(email="barbara@example.com"))

    assert subscription.payments.get().received == subscription.amount


# Questions.


def ends(clerk: Clerk, question: OrderException, ending: Ending) -> None:
    clerk.does(question)

    effect = Effect.objects.get(kind=SUBSCRIPTION_END, subscription__exceptions=question)
    assert effect.data["ending"] == ending


@walk("orderexception.end_now")
def end_now(clerk: Clerk) -> None:
    ends(clerk, switch_off("lise"), Ending.NOW)


@walk("orderexception.end_period")
def end_with_the_period(clerk: Clerk) -> None:
    ends(clerk, switch_off("rosalind"), Ending.PERIOD)


@walk("orderexception.cancel_subscription")
def cancel_in_question(clerk: Clerk) -> None:
    subscription = make_subscription("annie")

    clerk.does(refund_the_month(subscription))

    subscription.refresh_from_db()
    assert subscription.has_ended


@walk("orderexception.give_back")
def give_back_in_question(clerk: Clerk) -> None:
    question = refund_the_month(subscribe("vera"))

    clerk.does(question)

    question.refresh_from_db()
    assert question.closed_reason == REASON
