"""Money that goes back, or that a bank takes back: the whole of a running period ends its access and asks staff."""

from tests.properties.memberships.life import MONTHLY, Life
from tests.properties.memberships.story import Ending, ending, story
from tests.support.billing import DAY, HOUR, MINUTE

DISPUTED, INQUIRED = "createDispute", "createDisputeInquiry"


def in_part(life: Life) -> None:
    life.checks_out()
    life.refunds(150)


def in_two_parts(life: Life) -> None:
    life.checks_out()
    life.refunds(150)
    life.refunds(250)


def the_renewal(life: Life) -> None:
    life.checks_out()
    life.renews()
    life.refunds(number=1)


def a_month_that_is_over(life: Life) -> None:
    life.checks_out()
    life.renews()
    life.refunds()


def the_whole_then_renews(life: Life) -> None:
    life.checks_out()
    life.passes(DAY)
    life.refunds()
    life.renews()


def then_canceled(life: Life) -> None:
    life.checks_out()
    life.refunds()
    life.passes(HOUR)
    life.cancels()


def comes_back(life: Life) -> None:
    life.checks_out(method="refundFail")
    life.refunds()
    life.passes(HOUR)


def comes_back_and_goes_again(life: Life) -> None:
    comes_back(life)
    life.refunds(100)


def takes_a_while(life: Life) -> None:
    life.checks_out(method="pendingRefund")
    life.refunds()


def arrives(life: Life) -> None:
    takes_a_while(life)
    life.passes(HOUR)


def what_a_debit_brought(life: Life) -> None:
    life.checks_out(method="FR1420041010050500013M02606")
    life.passes(DAY)
    life.refunds()


def disputed(life: Life) -> None:
    life.checks_out(method=DISPUTED)


def won(life: Life) -> None:
    disputed(life)
    life.passes(MINUTE)
    life.api.disputes.update(life.disputes().id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    life.passes(MINUTE)


def lost(life: Life) -> None:
    disputed(life)
    life.passes(MINUTE)
    life.api.disputes.close(life.disputes().id)


def renewal_lost(life: Life) -> None:
    life.checks_out()
    life.pays_with(DISPUTED)
    life.renews()
    life.api.disputes.close(life.disputes().id)


def lost_and_canceled(life: Life) -> None:
    lost(life)
    life.passes(MINUTE)
    life.cancels()


def inquiry_ends_with_a_refund(life: Life) -> None:
    life.checks_out(method=INQUIRED)
    life.passes(MINUTE)
    life.refunds()


REFUNDED: Ending = {"back": "refunded", "questions": ["PERIOD_REFUNDED"], "is_covered": False}
LOST: Ending = {**REFUNDED, "back": "dispute_lost"}
STORIES = (
    story(
        "gets a part back", in_part,
        ending(payments=[(MONTHLY, 150)], refunds=[(150, "succeeded")], questions=["PARTLY_REFUNDED"], is_covered=True),
    ),
    story(
        "gets it back in two parts", in_two_parts,
        ending(payments=[(MONTHLY, MONTHLY)], refunds=[(150, "succeeded"), (250, "succeeded")], **REFUNDED),
    ),
    story(
        "gets the renewal back", the_renewal,
        ending(payments=[(MONTHLY, 0), (MONTHLY, MONTHLY)], refunds=[(MONTHLY, "succeeded")], **REFUNDED),
    ),
    story(
        "gets a month back that is over", a_month_that_is_over,
        ending(payments=[(MONTHLY, MONTHLY), (MONTHLY, 0)], refunds=[(MONTHLY, "succeeded")], is_covered=True),
    ),
    story(
        "gets it back and pays the next month", the_whole_then_renews,
        ending(payments=[(MONTHLY, MONTHLY), (MONTHLY, 0)], refunds=[(MONTHLY, "succeeded")], is_covered=True),
    ),
    story(
        "gets it back and cancels", then_canceled,
        ending(status="canceled", payments=[(MONTHLY, MONTHLY)], refunds=[(MONTHLY, "succeeded")], back="refunded"),
    ),
    story(
        "has a refund that fails later", comes_back,
        ending(refunds=[(MONTHLY, "failed")], questions=["REFUND_OWED"]),
    ),
    story(
        "gets a part back after a refund that failed", comes_back_and_goes_again,
        ending(
            payments=[(MONTHLY, 100)], refunds=[(100, "succeeded"), (MONTHLY, "failed")],
            questions=["PARTLY_REFUNDED", "REFUND_OWED"],
        ),
    ),
    story(
        "has a refund that takes a while", takes_a_while,
        ending(payments=[(MONTHLY, MONTHLY)], refunds=[(MONTHLY, "pending")], **REFUNDED),
    ),
    story(
        "has a refund that arrives", arrives,
        ending(payments=[(MONTHLY, MONTHLY)], refunds=[(MONTHLY, "succeeded")], **REFUNDED),
    ),
    story(
        "gets back what a debit brought", what_a_debit_brought,
        ending(payments=[(MONTHLY, MONTHLY)], refunds=[(MONTHLY, "succeeded")], **REFUNDED),
    ),
    story("disputes", disputed, ending(disputes=[(MONTHLY, "needs_response")], is_covered=True)),
    story("disputes and loses", won, ending(disputes=[(MONTHLY, "won")])),
    story("disputes and wins", lost, ending(disputes=[(MONTHLY, "lost")], **LOST)),
    story(
        "disputes the renewal and wins", renewal_lost,
        ending(payments=[(MONTHLY, 0)] * 2, disputes=[(MONTHLY, "lost")], **LOST),
    ),
    story(
        "disputes, wins and is canceled", lost_and_canceled,
        ending(status="canceled", disputes=[(MONTHLY, "lost")], back="dispute_lost"),
    ),
    story(
        "only asks, and gets it back", inquiry_ends_with_a_refund,
        ending(
            payments=[(MONTHLY, MONTHLY)], refunds=[(MONTHLY, "succeeded")], disputes=[(MONTHLY, "warning_closed")],
            **REFUNDED
        ),
    ),
)  # fmt: skip
