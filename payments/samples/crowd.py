"""A crowd: made-up people who bought something at some moment, and their orders, written by the thousand.

What is sold, sellers say; each batch is a transaction of its own, so that what was written stays when the rest is not.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from random import Random
from uuid import UUID

from django.db import transaction
from django.utils.timezone import get_default_timezone, localdate

from payments.apply.locked_rows import mark_days
from payments.billing.models import Receipt
from payments.billing.receipts import next_number
from payments.ledger.models import PaymentEvent
from payments.names import demo_id
from payments.orders.models import Order
from payments.samples.bulk import reserve_ids
from payments.samples.plots import Plot
from payments.samples.template import Template, Values, write_copies

# No address at it can belong to anybody: https://www.rfc-editor.org/rfc/rfc2606#section-2
DOMAIN = "demo.example"
BATCH = 1000
# Of whatever is looked for: a name that is free, somebody who is not there yet.
MAX_TRIES = 100
# Who began so lately may still pay; a few are among them, so that something waits.
MOMENT = timedelta(minutes=25)
MOST_OPEN, OPEN_SHARE = 12, 20
FIRST_NAMES = (
    "Camille", "Inès", "Louis", "Jeanne", "Amine", "Zoé", "Hugo", "Léa", "Marius", "Fatou", "Élise", "Youssef",
    "Claire", "Antoine", "Nadia", "Paul", "Alex", "Emma", "Oscar", "Anouk", "Noé", "Salomé", "Théo", "Ruth",
)  # fmt: skip
LAST_NAMES = (
    "Martin", "Dubois", "Benali", "Moreau", "Petit", "Lefèvre", "Garcia", "Roux", "Smith", "Diallo", "Fontaine",
    "Chevalier", "Nguyen", "Lambert", "Mercier", "Da Silva", "Faure", "Blanc", "Guérin", "Weber", "Rossi", "Perrin",
)  # fmt: skip
# The first is the greatest: who lives where is drawn by these shares.
CITIES = {
    "Lyon": 30, "Villeurbanne": 14, "Grenoble": 12, "Paris": 9, "Saint-Étienne": 8, "Vienne": 6, "Chambéry": 5,
    "Valence": 5, "Marseille": 4, "Annecy": 3, "Bourg-en-Bresse": 2, "Nantes": 1, "Lille": 1,
}  # fmt: skip
LANGUAGES = ("fr", "en")


class NoneFree(RuntimeError):
    """What was looked for was not found in MAX_TRIES tries; the text says what."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made up; the same number is the same person."""

    name: str
    email: str
    city: str
    language: str


def person(number: int, *, domain: str = DOMAIN) -> Person:
    """The person of this number, always the same; nobody else has the address."""
    dice = Random(number)
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    (city,) = dice.choices(list(CITIES), weights=list(CITIES.values()))
    return Person(f"{first} {last}", f"{_plain(first)}.{_plain(last)}.{number}@{domain}", city, dice.choice(LANGUAGES))


def _plain(name: str) -> str:
    """ "Da Silva" → "da-silva", "Inès" → "ines"."""
    letters = unicodedata.normalize("NFD", name.lower().replace(" ", "-"))
    return "".join(each for each in letters if not unicodedata.combining(each))


@dataclass(frozen=True, slots=True)
class Sale:
    """One order to be made: what happens to it, when it began, whose it is, and what the seller writes into it."""

    template: Template
    began: datetime
    buyer: Person
    sold: dict[str, str]


Write = Callable[[Sequence[datetime]], Counter[str]]
Batch = tuple[int, Counter[str]]


def in_batches(write: Write, *, count: int, since: datetime, at: datetime) -> Iterator[Batch]:
    """Let a seller make so many orders that began between these moments, each batch in a transaction of its own.

    Yields, once a batch is committed, how many orders it has made, and the rows by table.
    """
    began = moments(count, since=since, at=at)
    for first in range(0, count, BATCH):
        some = began[first : first + BATCH]
        with transaction.atomic():
            written = write(some)
        yield len(some), written


def moments(count: int, *, since: datetime, at: datetime) -> list[datetime]:
    """When so many orders began, the earliest first, in whole seconds; a few of them just now."""
    dice, latest = Random(), at.replace(microsecond=0) - timedelta(seconds=2)
    whole = max((latest - since).total_seconds(), 0)
    lately = min(MOST_OPEN, count // OPEN_SHARE)
    spans = [whole] * (count - lately) + [min(MOMENT.total_seconds() - 60, whole)] * lately
    return sorted(latest - timedelta(seconds=int(span * dice.random())) for span in spans)


def choose(told: Mapping[Plot, Template], *, began: datetime, at: datetime, dice: Random) -> Template:
    """What has happened to an order that began then: nothing that would not be over, and only lately what is open."""
    age = at - began
    fitting = [plot for plot, each in told.items() if each.lasts <= age and (age < MOMENT or not plot.is_open)]
    (plot,) = dice.choices(fitting, weights=[plot.share for plot in fitting])
    return told[plot]


def write_sales(sales: Sequence[Sale]) -> Counter[str]:
    """Write these orders with all that belongs to them, in the caller's transaction. Returns the rows by table."""
    orders = reserve_ids(Order, len(sales))
    counts = [Counter(type(row) for row in sale.template.rows) for sale in sales]
    events = iter(reserve_ids(PaymentEvent, sum(count[PaymentEvent] for count in counts)))
    receipt = next_number() if any(count[Receipt] for count in counts) else 0
    dice, copies = Random(), []
    for sale, order, count in zip(sales, orders, counts, strict=True):
        own = [next(events) for _ in range(count[PaymentEvent])]
        given = {**_values(sale, order=order, receipt=receipt, dice=dice), **_values_of_events(own, dice)}
        copies.append((sale.template, sale.template.values(given, began=sale.began)))
        receipt += count[Receipt]
    written = write_copies(copies)
    mark_days(_days(sales))
    return written


def _values(sale: Sale, *, order: int, receipt: int, dice: Random) -> Values:
    buyer = sale.buyer
    return {
        "order": str(order), "order_uuid": _uuid(dice), "row_uuid": _uuid(dice), "receipt": str(receipt),
        "request": f"{dice.getrandbits(128):032x}", "name": buyer.name, "email": buyer.email, "city": buyer.city,
        "language": buyer.language,
        **sale.sold,
    }  # fmt: skip


def _values_of_events(ids: Sequence[int], dice: Random) -> dict[str, str]:
    values = {}
    for number, key in enumerate(ids, start=1):
        values[f"event_{number}"] = str(key)
        values[f"request_{number}"] = f"{dice.getrandbits(128):032x}"
        values[f"body_{number}"] = sha256(demo_id("evt", key).encode()).hexdigest()
    return values


def _uuid(dice: Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))


def _days(sales: Sequence[Sale]) -> Iterator[date]:
    """From the first to the last on which anything of them counts in the figures."""
    zone = get_default_timezone()
    first = localdate(min(sale.began for sale in sales), zone)
    last = localdate(max(sale.began + sale.template.lasts for sale in sales), zone)
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
