"""Two web servers and two workers on four hosts, and the database's cable pulled for seconds while payments come in.

Each payment is told of by two events, and one event in ten is delivered to both web servers. Nothing may be lost, and
nothing counted twice.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from secrets import token_hex
from threading import Thread

from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from benchmarks.load import Wire, body_of, request
from benchmarks.measure import Figures, NotClean
from benchmarks.namespaces_net import DATABASE, cut_off, inside
from benchmarks.namespaces_sites import Layout, workers
from benchmarks.sites import GROUP_COMMIT, PRODUCTION, SECRET
from benchmarks.world import PRICE, clear, event_about, make_registrations, settle
from payments.effects.models import Effect
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order, OrderChange
from payments.statuses import EventStatus
from registrations.models import Activity, Registration
from tests.support.processes import wait_until
from tests.support.signing import URL
from tests.support.web_server import web_server

WEB_HOSTS, CONNECTIONS = ("web1", "web2"), 8
STORY = ("payment_intent.succeeded", "checkout.session.completed")
ONE_IN = 10
DELIVERY_SECONDS, CUT_AFTER, CUT_SECONDS = 8.0, 2.0, 3.0
# Stripe waits for hours; nobody here has them.
PAUSE = 0.2
# What was answered within it may have been kept before the cable was out.
UNDERWAY_SECONDS = 0.05


@dataclass(frozen=True)
class Answer:
    """One delivery; moments by `time.perf_counter`. Status 0: the server has hung up."""

    event: str
    status: int
    sent_at: float
    answered_at: float


Delivery = tuple[str, bytes]


class Sender(Thread):
    """One kept connection to one web server; what is not answered with 200 is brought again."""

    def __init__(self, host: str, port: int, deliveries: Sequence[Delivery]) -> None:
        super().__init__(daemon=True)
        self.host, self.port, self.deliveries = host, port, deliveries
        self.answers: list[Answer] = []
        self.wire: Wire | None = None

    def run(self) -> None:
        began, every = time.perf_counter(), DELIVERY_SECONDS / len(self.deliveries)
        with inside(self.host):
            for number, delivery in enumerate(self.deliveries):
                time.sleep(max(0.0, began + number * every - time.perf_counter()))
                while self._deliver(*delivery).status != 200:
                    time.sleep(PAUSE)

    def _deliver(self, event: str, raw: bytes) -> Answer:
        sent_at, status = time.perf_counter(), 0
        try:
            self.wire = self.wire or Wire(self.port)
            self.wire.send(0, raw)
            while not (status := self.wire.status()):
                pass
        except (OSError, NotClean):
            self.wire = None
        self.answers.append(Answer(event, status, sent_at, time.perf_counter()))
        return self.answers[-1]


@contextmanager
def four_hosts(place: Path, layout: Layout) -> Iterator[list[int]]:
    """The ports of the two web servers, one process each."""
    with ExitStack() as stack:
        ports = []
        for host in WEB_HOSTS:
            folder = place / host
            folder.mkdir()
            told = {**PRODUCTION, **GROUP_COMMIT, **layout.told, "WEB_CONCURRENCY": "1"}
            with inside(host):
                ports.append(stack.enter_context(web_server(folder, **told)).port)
        stack.enter_context(workers(place, layout, processes=2))
        yield ports


def measure(layout: Layout, orders: int, *, is_cut: bool) -> Figures:
    """Pay so many orders. Raises NotClean where anything does not add up afterwards."""
    clear()
    with tempfile.TemporaryDirectory() as place, four_hosts(Path(place), layout) as ports:
        now = timezone.now()
        rows = make_registrations(orders, activities=20, at=now, prefix=token_hex(4))
        settle()
        events = [event_about(row, event_type, at=now) for event_type in STORY for row in rows]
        deliveries = [(event["id"], request(body_of(event), path=URL, secret=SECRET)) for event in events]
        senders = list(_senders(ports, deliveries))
        for sender in senders:
            sender.start()
        time.sleep(CUT_AFTER)
        cut_at = time.perf_counter()
        if is_cut:
            cut_off(DATABASE, seconds=CUT_SECONDS)
        whole_at = time.perf_counter()
        for sender in senders:
            sender.join()
        wait_until(_is_all_processed)
        done_at = time.perf_counter()
    answers = [answer for sender in senders for answer in sender.answers]
    must_add_up({event for event, _raw in deliveries}, answers, orders=orders)
    told = _told(answers, cut_at, whole_at) if is_cut else _told(answers)
    return {**told, "processed": done_at - max(answer.answered_at for answer in answers)}


def _senders(ports: Sequence[int], deliveries: Sequence[Delivery]) -> Iterator[Sender]:
    """Every event goes to one of the web servers, one in ten to both."""
    for number, (host, port) in enumerate(zip(WEB_HOSTS, ports, strict=True)):
        mine = [each for n, each in enumerate(deliveries) if n % len(ports) == number or n % ONE_IN == 0]
        for first in range(CONNECTIONS):
            yield Sender(host, port, mine[first::CONNECTIONS])


def _is_all_processed() -> bool:
    return not PaymentEvent.objects.exclude(status=EventStatus.PROCESSED).exists()


def _told(answers: Sequence[Answer], cut_at: float = 0.0, whole_at: float = 0.0) -> Figures:
    """What senders have seen, in seconds and in numbers of answers."""
    accepted = [answer for answer in answers if answer.status == 200]
    figures = {
        "accepted": len(accepted),
        "refused": sum(answer.status >= 400 for answer in answers),
        "hung_up": sum(answer.status == 0 for answer in answers),
        "longest": max(answer.answered_at - answer.sent_at for answer in answers),
    }
    if not cut_at:
        return figures
    during = [answer for answer in accepted if cut_at + UNDERWAY_SECONDS < answer.answered_at < whole_at]
    first = min(answer.answered_at for answer in accepted if answer.answered_at >= whole_at)
    return {**figures, "during": len(during), "first": first - whole_at}


def must_add_up(events: set[str], answers: Sequence[Answer], *, orders: int) -> None:
    """Raises NotClean unless each 200 has its row, and each order was paid, changed, seated and confirmed once."""
    kept = list(PaymentEvent.objects.values_list("stripe_event_id", flat=True))
    if lost := {answer.event for answer in answers if answer.status == 200} - set(kept):
        raise NotClean(f"{len(lost)} answers with 200 have no row")
    if sorted(kept) != sorted(events):
        raise NotClean(f"{len(kept)} rows of {len(events)} events")
    if (paid := set(Order.objects.values_list("status", "amount_received"))) != {("PAID", PRICE)}:
        raise NotClean(f"orders {paid}")
    counted = {
        "changes": OrderChange.objects.filter(field="status").count(),
        "places": Registration.objects.filter(holds_place=True, status="PAID").count(),
        "places taken": Activity.objects.aggregate(taken=Sum("places_taken"))["taken"],
        "confirmations": Effect.objects.filter(kind="registration.confirmed").count(),
    }
    if set(counted.values()) != {orders}:
        raise NotClean(f"{orders} orders, {counted}")
    try:
        call_command("check_places", stdout=StringIO())
    except CommandError as error:
        raise NotClean(str(error)) from None
