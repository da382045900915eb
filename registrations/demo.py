"""Demo registrations by the thousand, for activities that begin a while after and have as many places as it takes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count as numbers
from random import Random

from django.conf import settings

from accounts.pictures.models import Picture
from payments.checkout.attempts import SESSION_LIFE
from payments.orders.models import Order
from payments.orders.opening import open_order
from payments.samples import plots
from payments.samples.bulk import copy_rows, reserve_ids
from payments.samples.crowd import (
    DOMAIN,
    MAX_TRIES,
    Batch,
    NoneFree,
    Person,
    Sale,
    choose,
    in_batches,
    person,
    write_sales,
)
from payments.samples.seeding import Seller, sells
from payments.samples.telling import tell
from payments.samples.template import Template
from registrations.demo_things import CURRENCY, OFTEN, Thing, keep_pictures
from registrations.models import ORDER_KIND, Activity, Registration
from registrations.places import take_place
from registrations.services.register import confirm_free

# So many people who register one after the other do so for the same few activities.
PEOPLE_AT_ONCE, ACTIVITIES_AT_ONCE = 100, 4
SLUG = "demo-{kind}-{number}"
# More people than one meets by chance twice in one activity, and few enough that they come again.
FEWEST_PEOPLE, PEOPLE_PER_PLACE = 500, 0.7
# By whether it costs nothing.
Told = Mapping[bool, Mapping[plots.Plot, Template]]


def count_demo() -> int:
    """How many registrations of made-up people there are."""
    return Registration.objects.filter(email__endswith=f"@{DOMAIN}").count()


def make(*, count: int, since: datetime, at: datetime) -> Iterator[Batch]:
    """Make so many registrations with all that belongs to them. Raises NoneFree, NotTold."""
    people = max(FEWEST_PEOPLE, int(count * PEOPLE_PER_PLACE))
    crowd = _Crowd(at=at, people=people, told=tell_all(), pictures=keep_pictures(OFTEN))
    return in_batches(crowd.write, count=count, since=since, at=at)


sells(Seller("registrations", share=1, count=count_demo, make=make))


def tell_all() -> Told:
    """What can happen to a registration."""
    return {
        False: {plot: tell(plot, begin=partial(_begin, price=plots.PRICE)) for plot in plots.PLOTS},
        True: {plots.FREE: tell(plots.FREE, begin=partial(_begin, price=0))},
    }


def _begin(at: datetime, *, price: int) -> Order:
    """The one registration, as `register` would leave it, with values that nothing else has."""
    activity = Activity.objects.create(
        pk=plots.THING, slug=SLUG.format(kind="novum", number=plots.THING), title=plots.TITLE, price=price,
        currency=CURRENCY, capacity=1, starts_at=at + timedelta(days=200),
    )  # fmt: skip
    order = Order(
        pk=plots.ORDER, public_id=plots.ORDER_UUID, kind=ORDER_KIND, email=plots.EMAIL, label=plots.TITLE,
        amount=price, currency=CURRENCY, livemode=settings.STRIPE_LIVEMODE, created_at=at,
    )  # fmt: skip
    row = Registration(
        pk=plots.ROW, public_id=plots.ROW_UUID, activity=activity, name=plots.NAME, email=plots.EMAIL,
        language=plots.LANGUAGE, holds_place=True, held_until=at + SESSION_LIFE, created_at=at,
    )  # fmt: skip
    row.order = open_order(order, names=[f"registration:{plots.ROW_UUID}"], expires_at=row.held_until, at=at)
    row.save(force_insert=True)
    take_place(activity_id=plots.THING)
    confirm_free(registration=row, at=at)
    return order


@dataclass(slots=True)
class _Crowd:
    """Who registers. `people`: how many there are; `pictures` by name; `number`: of the next activity."""

    at: datetime
    people: int
    told: Told
    pictures: Mapping[str, Picture]
    dice: Random = field(default_factory=Random)
    number: int = 1

    def write(self, began: Sequence[datetime]) -> Counter[str]:
        """One batch: the activities and who registers for them, beginning at these moments."""
        groups = [began[n : n + PEOPLE_AT_ONCE] for n in range(0, len(began), PEOPLE_AT_ONCE)]
        activities = self._activities(groups)
        sales: list[Sale] = []
        for n, group in enumerate(groups):
            sales += self._sales(group, activities[n * ACTIVITIES_AT_ONCE : (n + 1) * ACTIVITIES_AT_ONCE])
        rows = reserve_ids(Registration, len(sales))
        for sale, row in zip(sales, rows, strict=True):
            sale.sold["row"] = str(row)
        for activity in activities:
            activity.capacity = max(activity.places_taken + self.dice.randint(0, 6), 6)
        written = Counter({Activity._meta.db_table: copy_rows(activities)})
        return written + write_sales(sales)

    def _activities(self, groups: Sequence[Sequence[datetime]]) -> list[Activity]:
        """The same few for each group; they begin when all of it have registered."""
        begins = [group for group in groups for _ in range(ACTIVITIES_AT_ONCE)]
        things = [OFTEN[(self.number + n) % len(OFTEN)] for n in range(len(begins))]
        keys, slugs = reserve_ids(Activity, len(begins)), self._free_slugs(things)
        return [
            Activity(
                pk=key, slug=slug, currency=CURRENCY, capacity=0, places_taken=0,
                created_at=group[0] - timedelta(days=self.dice.randint(3, 20)),
                **thing.columns(starts_at=self._start_of(thing, group), picture=self.pictures[thing.picture]),
            )
            for key, slug, thing, group in zip(keys, slugs, things, begins, strict=True)
        ]  # fmt: skip

    def _start_of(self, thing: Thing, group: Sequence[datetime]) -> datetime:
        """Some weeks after the last of them has registered."""
        return thing.starts_after(group[-1] + timedelta(days=self.dice.randint(5, 45)))

    def _free_slugs(self, things: Sequence[Thing]) -> list[str]:
        """A run of numbers of which none is taken, after those of earlier runs. Raises NoneFree."""
        for _try in range(MAX_TRIES):
            slugs = [SLUG.format(kind=each.slug, number=number) for each, number in zip(things, numbers(self.number))]
            self.number += len(things)
            if not Activity.objects.filter(slug__in=slugs).exists():
                return slugs
            self.number = max(self.number, Activity.objects.count())
        raise NoneFree(f"{MAX_TRIES} runs of addresses of activities are taken, up to number {self.number}.")

    def _sales(self, began: Sequence[datetime], activities: Sequence[Activity]) -> list[Sale]:
        seated: set[tuple[int, str]] = set()
        return [self._sale(moment, self.dice.choice(activities), seated) for moment in began]

    def _sale(self, began: datetime, activity: Activity, seated: set[tuple[int, str]]) -> Sale:
        buyer = self._newcomer(activity, seated)
        template = choose(self.told[not activity.price], began=began, at=self.at, dice=self.dice)
        (row,) = (row for row in template.rows if isinstance(row, Registration))
        activity.places_taken += row.holds_place
        sold = {"thing": str(activity.pk), "title": activity.title, "price": str(activity.price)}
        return Sale(template, began, buyer, sold)

    def _newcomer(self, activity: Activity, seated: set[tuple[int, str]]) -> Person:
        """Somebody who has not registered there yet. Raises NoneFree."""
        for _try in range(MAX_TRIES):
            found = person(self.dice.randrange(self.people))
            if (activity.pk, found.email) not in seated:
                seated.add((activity.pk, found.email))
                return found
        raise NoneFree(f"In {MAX_TRIES} tries nobody was found who is not in “{activity.title}” yet.")
