"""What happens to demo orders, as a table: what Stripe tells of each, and how often it is so.

And what stands in the one order of which each plot is told to the product (`payments.samples.telling`): values that
nothing else has, by which their places are found.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from payments.checkout.attempts import SESSION_LIFE
from payments.samples.template import unmistakable

News = tuple[str, timedelta]


@dataclass(frozen=True, slots=True)
class Plot:
    """What Stripe tells of one order, each event so long after the order began.

    `share`: how often, beside the others. `has_page`: a Checkout session was opened. `has_receipt`: the buyer has asked
    for one. `is_open`: it still waits for money, as only an order does that began a moment ago.
    """

    name: str
    share: float
    events: tuple[News, ...] = ()
    has_page: bool = True
    has_receipt: bool = False
    is_open: bool = False


def _paid(seconds: int) -> tuple[News, News]:
    return (
        ("payment_intent.succeeded", timedelta(seconds=seconds)),
        ("checkout.session.completed", timedelta(seconds=seconds + 1)),
    )


def _declined(seconds: int) -> News:
    return "payment_intent.payment_failed", timedelta(seconds=seconds)


_TIMED_OUT = ("checkout.session.expired", SESSION_LIFE)
_REFUNDED = timedelta(days=3, hours=2)
_DISPUTED, _LOST = timedelta(days=11, hours=5), timedelta(days=40, hours=9)
PLOTS = (
    Plot("paid", 44, _paid(74)),
    Plot("paid, with a receipt", 24, _paid(191), has_receipt=True),
    Plot("paid after a decline", 7, (_declined(48), *_paid(133))),
    Plot("refunded", 4, (
        *_paid(97), ("refund.created", _REFUNDED), ("charge.refunded", _REFUNDED + timedelta(seconds=1)),
    )),
    Plot("timed out", 14, (_TIMED_OUT,)),
    Plot("declined, then timed out", 4, (_declined(66), _TIMED_OUT)),
    Plot("canceled", 2, (("payment_intent.canceled", timedelta(seconds=212)),)),
    Plot("lost in a dispute", 0.4, (
        *_paid(59), ("charge.dispute.created", _DISPUTED), ("charge.dispute.closed", _LOST),
    )),
    Plot("waits for money", 200, has_page=False, is_open=True),
    Plot("declined a moment ago", 60, (_declined(52),), is_open=True),
)  # fmt: skip
# Where nothing is due.
FREE = Plot("free of charge", 1, has_page=False)

# What stands in the one order. `ROW`: what was sold to the buyer (a registration), `THING`: of what (an activity).
ORDER, ROW, THING, BUYER, RECEIPT = map(unmistakable, range(1, 6))
ORDER_UUID, ROW_UUID = UUID("d3a00000-dec0-4ade-8add-0000000000a1"), UUID("d3a00000-dec0-4ade-8add-0000000000a2")
PRICE = 73_541_923
NAME, EMAIL, TITLE, CITY = "Nomina Nescio", "nomina.nescio@demo.example", "Titulus Nescio", "Urbs Nescio"
LANGUAGE = "nescio"
REQUEST = "5eed0000000000000000000000000000"
NAMES = {
    str(ORDER): "order", str(ROW): "row", str(THING): "thing", str(BUYER): "buyer", str(RECEIPT): "receipt",
    str(ORDER_UUID): "order_uuid", str(ROW_UUID): "row_uuid", str(PRICE): "price",
    NAME: "name", EMAIL: "email", TITLE: "title", CITY: "city", LANGUAGE: "language",
    REQUEST: "request",
}  # fmt: skip
