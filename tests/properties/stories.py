"""Life stories of orders, generated: what Stripe would send about each, with times that often fall into one second."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from hypothesis import strategies as st

from payments.samples.events import sample_event
from payments.samples.story import SHAPES, Json, SampleSubject, Variation

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PRICE, CURRENCY = 4900, "eur"


@dataclass(frozen=True)
class Step:
    """One event of a story."""

    type: str
    attempt: int = 1
    variation: Variation = field(default_factory=Variation)
    again: bool = False
    """About the same person's second registration."""


@dataclass(frozen=True)
class Story:
    """One order: how many Checkout sessions it had, whether Stripe's answers reached us, and what was sent."""

    name: str
    steps: tuple[Step, ...]
    attempts: int = 1
    knows_sessions: bool = True
    registers_again: bool = False
    """The first session expired, and the person has registered once more before anything else is heard."""


def step(type: str, attempt: int = 1, **variation: object) -> Step:
    return Step(type, attempt, Variation(**variation))  # type: ignore[arg-type]


def paid(attempt: int = 1) -> tuple[Step, ...]:
    return step("checkout.session.completed", attempt), step("payment_intent.succeeded", attempt)


def declined(number: int, attempt: int = 1) -> Step:
    return step("payment_intent.payment_failed", attempt, number=number)


def refunded(
    amount: int, *, total: int, number: int = 1, attempt: int = 1, ends: str = "succeeded"
) -> tuple[Step, ...]:
    return (
        step("refund.created", attempt, amount=amount, status="pending", number=number),
        step("charge.refunded", attempt, amount=total, number=number),
        step(
            "refund.failed" if ends == "failed" else "refund.updated",
            attempt,
            amount=amount,
            status=ends,
            number=number,
        ),
    )


def again(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The same, about the second registration."""
    return tuple(replace(each, again=True) for each in steps)


ACT, PROCESSING = step("payment_intent.requires_action"), step("payment_intent.processing")
EXPIRED, CANCELED = step("checkout.session.expired"), step("payment_intent.canceled")
UNPAID = step("checkout.session.completed", status="unpaid")
OPENED = step("charge.dispute.created")
WITHDRAWN, REINSTATED = step("charge.dispute.funds_withdrawn"), step("charge.dispute.funds_reinstated")
WARNED, SETTLED = step("radar.early_fraud_warning.created"), step("radar.early_fraud_warning.updated")
ASKED, ASKED_NO_MORE = (
    step("charge.dispute.created", status="warning_needs_response"),
    step("charge.dispute.closed", status="warning_closed"),
)
PREVENTED = step("charge.dispute.closed", status="prevented")
LOST, WON = step("charge.dispute.closed", status="lost"), step("charge.dispute.closed", status="won")

STORIES = (
    Story("pays", paid()),
    Story("pays, our own answer from Stripe was lost", paid(), knows_sessions=False),
    Story("is declined, then pays", (declined(1), ACT, declined(2), *paid())),
    Story("is declined twice and gives up", (declined(1), declined(2))),
    Story("must act and does not", (ACT,)),
    Story("lets it expire", (ACT, EXPIRED)),
    Story("cancels", (declined(1), CANCELED, EXPIRED)),
    Story(
        "pays by a delayed method",
        (PROCESSING, UNPAID, step("checkout.session.async_payment_succeeded"), paid()[1]),
    ),
    Story(
        "a delayed method fails",
        (PROCESSING, UNPAID, step("checkout.session.async_payment_failed"), declined(1)),
    ),
    Story("pays in the second session", (declined(1), EXPIRED, *paid(2)), attempts=2),
    Story(
        "pays in the first session after the second began",
        (step("checkout.session.expired", 2), *paid()),
        attempts=2,
    ),
    Story("pays twice", (*paid(1), *paid(2)), attempts=2),
    Story(
        "pays twice, the second goes back",
        (*paid(1), *paid(2), *refunded(PRICE, total=PRICE, attempt=2)),
        attempts=2,
    ),
    Story("gets a part back", (*paid(), *refunded(900, total=900))),
    Story(
        "gets it back in two parts",
        (*paid(), *refunded(900, total=900), *refunded(4000, total=PRICE, number=2)),
    ),
    Story("gets all back", (*paid(), *refunded(PRICE, total=PRICE))),
    Story("a refund fails later", (*paid(), *refunded(PRICE, total=PRICE, ends="failed"))),
    Story(
        "a refund overtakes its payment",
        (step("checkout.session.completed"), *refunded(PRICE, total=PRICE)[::2]),
    ),
    Story("only the refund tells of the payment", refunded(PRICE, total=PRICE)),
    Story("pays late", (EXPIRED, *paid())),
    Story("pays the wrong amount", (step("checkout.session.completed", amount=100), EXPIRED)),
    Story("wins a dispute", (*paid(), OPENED, WITHDRAWN, REINSTATED, WON)),
    Story("loses a dispute", (*paid(), OPENED, WITHDRAWN, LOST)),
    Story("loses a dispute, then wins it", (*paid(), OPENED, LOST, WON)),
    Story("registers again, then pays both", (*paid(), *again(paid())), registers_again=True),
    Story("registers again, pays the first, lets go the second", (*paid(), *again([EXPIRED])), registers_again=True),
    Story("registers again, cancels that, pays it late", again([CANCELED, *paid()]), registers_again=True),
    Story("is warned of", (*paid(), WARNED)),
    Story("is warned of, then disputed", (*paid(), WARNED, OPENED, SETTLED)),
    Story("is warned of, then gets all back", (*paid(), WARNED, *refunded(PRICE, total=PRICE))),
    Story("is warned of, the refund fails", (*paid(), WARNED, *refunded(PRICE, total=PRICE, ends="failed"))),
    Story("is asked about, and no more", (*paid(), ASKED, ASKED_NO_MORE)),
    Story("is asked about, then disputed, then lost", (*paid(), ASKED, OPENED, LOST)),
    Story("is asked about no more, and disputed all the same", (*paid(), ASKED, ASKED_NO_MORE, OPENED)),
    Story("is asked about and prevented", (*paid(), ASKED, PREVENTED)),
    Story(
        "loses a part to a dispute",
        (*paid(), step("charge.dispute.created", amount=900), step("charge.dispute.closed", amount=900, status="lost")),
    ),
    Story(
        "loses a part, gets the rest back",
        (*paid(), step("charge.dispute.closed", amount=900, status="lost"), *refunded(4000, total=4000)),
    ),
    Story("pays twice, the second is lost", (*paid(1), *paid(2), replace(LOST, attempt=2)), attempts=2),
    Story("is disputed after a part went back", (*paid(), *refunded(900, total=900), OPENED)),
)


@dataclass(frozen=True)
class FactSet:
    """One Stripe event on its way to us: whose story, which step, at which second, in which shape."""

    person: int
    step: Step
    second: int
    shape: str

    def event(self, subject: Callable[..., SampleSubject]) -> Json:
        """The event as Stripe sends it; the same telling always has the same id."""
        word = sha256(f"{self.person}{self.step}{self.second}{self.shape}".encode()).hexdigest()
        return sample_event(
            self.step.type,
            subject=subject(self.person, self.step.attempt, again=self.step.again),
            shape=self.shape,
            at=NOON + timedelta(seconds=self.second),
            event_id=f"evt_{word[:24]}",
            variation=self.step.variation,
        )


@st.composite
def told(draw: st.DrawFn, stories: Sequence[Story]) -> list[FactSet]:
    """What Stripe sends about these people, the seconds often the same."""
    seconds, shapes = st.integers(0, 5), st.sampled_from(SHAPES)
    return [
        FactSet(person, each, draw(seconds), draw(shapes))
        for person, story in enumerate(stories)
        for each in story.steps
    ]
