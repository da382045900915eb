"""Demo data: a module for money, one free of charge, one for thirty days, the same at every start; and, where they are
asked for, people by the thousand who have bought them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from random import Random

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from modules_access.models import ORDER_KIND, Module, Purchase
from modules_access.services.follow_plan import request_follow
from payments.checkout.open_checkout import confirm_free
from payments.orders.models import Order
from payments.orders.opening import open_order
from payments.samples import plots
from payments.samples.bulk import copy_rows, reserve_ids
from payments.samples.crowd import DOMAIN, Batch, Person, Sale, choose, in_batches, person, write_sales
from payments.samples.seeding import Seller, sells
from payments.samples.telling import tell
from payments.samples.template import Template


@dataclass(frozen=True, slots=True)
class DemoModule:
    """One demo module: `price` in minor units, `days` of access, None: without end."""

    slug: str
    title: str
    price: int
    days: int | None
    summary: str
    description: str


MODULES = (
    DemoModule(
        "drawing", "Dessiner d’après nature", 4900, None,
        "Douze leçons pour apprendre à regarder, puis à dessiner ce que l’on voit.",
        "Du premier trait à la lumière : chaque leçon se regarde en une demi-heure et se pratique le même jour.\n\n"
        "L’accès reste ouvert sans limite de durée.",
    ),
    DemoModule(
        "first-steps", "Premiers pas à l’atelier", 0, None,
        "Les outils, les gestes et les mots de l’atelier, pour bien commencer.",
        "Une introduction gratuite en quatre courtes leçons, sans matériel ni expérience.",
    ),
    DemoModule(
        "glazes", "Les secrets des émaux", 2900, 30,
        "Composer, poser et cuire ses propres émaux : trente jours pour tout essayer.",
        "Recettes, fiches d’essai et vidéos de cuisson.\n\nL’accès dure trente jours à partir du paiement.",
    ),
)  # fmt: skip


@transaction.atomic
def seed(*, at: datetime) -> list[Module]:
    """Create what is missing, and let the addresses follow the site. Returns the modules that are new."""
    new = [module for place, spec in enumerate(MODULES) if (module := _module(spec, place=place))]
    if new:
        request_follow(plan_id=None, at=at)
    return new


def _module(spec: DemoModule, *, place: int) -> Module | None:
    """None: it was there."""
    room = reverse("demo-module", args=[spec.slug])
    defaults = {
        "title": spec.title,
        "summary": spec.summary,
        "description": spec.description,
        "price": spec.price,
        "access_days": spec.days,
        "url": f"{settings.SITE_URL}{room}",
        "position": place,
    }
    module, is_new = Module.objects.get_or_create(slug=spec.slug, defaults=defaults)
    if not is_new and module.url.endswith(room) and module.url != defaults["url"]:
        # The site has another port than at the last start.
        module.url = f"{settings.SITE_URL}{room}"
        module.save(update_fields=["url"])
    return module if is_new else None


# --- who has bought them -------------------------------------------------------------------------------------------


# Apart from people who only register, whose registrations an account with their address would take over.
BUYERS = f"learn.{DOMAIN}"


def count_demo() -> int:
    """How many purchases of made-up people there are."""
    return Purchase.objects.filter(user__email__endswith=f"@{BUYERS}").count()


def make(*, count: int, since: datetime, at: datetime) -> Iterator[Batch]:
    """Make so many purchases of the demo modules with all that belongs to them. Raises NotTold."""
    seed(at=at)
    modules = list(Module.objects.filter(slug__in=[spec.slug for spec in MODULES]).order_by("position"))
    crowd = _Crowd(at=at, modules=modules, told=_tell_all(modules))
    return in_batches(crowd.write, count=count, since=since, at=at)


sells(Seller("purchases", share=0.1, count=count_demo, make=make))


# By the module.
Told = Mapping[int, Mapping[plots.Plot, Template]]


def _tell_all(modules: Sequence[Module]) -> Told:
    """What can happen to a purchase."""
    return {
        module.pk: {
            plot: tell(plot, begin=partial(_begin, module=module))
            for plot in (plots.PLOTS if module.price else (plots.FREE,))
        }
        for module in modules
    }


def _begin(at: datetime, *, module: Module) -> Order:
    """The one purchase, as `buy` would leave it, with values that nothing else has."""
    user = User.objects.create(pk=plots.BUYER, email=plots.EMAIL, name=plots.NAME, language=plots.LANGUAGE)
    order = Order(
        pk=plots.ORDER, public_id=plots.ORDER_UUID, kind=ORDER_KIND, user=user, email=plots.EMAIL, label=module.title,
        amount=module.price, currency=module.currency, livemode=settings.STRIPE_LIVEMODE, created_at=at,
    )  # fmt: skip
    open_order(order, names=[], expires_at=None, at=at)
    Purchase.objects.create(
        pk=plots.ROW, order=order, module=module, user=user, access_days=module.access_days, created_at=at
    )  # fmt: skip
    confirm_free(order=order, at=at)
    return order


@dataclass(slots=True)
class _Crowd:
    """Who buys: each person every module once, one after the other."""

    at: datetime
    modules: Sequence[Module]
    told: Told
    dice: Random = field(default_factory=Random)

    def write(self, began: Sequence[datetime]) -> Counter[str]:
        """One batch: the accounts of the buyers, and what each has bought, beginning at these moments."""
        each = len(self.modules)
        ids = reserve_ids(User, ceil(len(began) / each))
        people = [person(key, domain=BUYERS) for key in ids]
        users = [_account(*known, joined=began[n * each]) for n, known in enumerate(zip(ids, people, strict=True))]
        rows = reserve_ids(Purchase, len(began))
        sales = [
            self._sale(moment, people[n // each], self.modules[n % each], row=row, user=ids[n // each])
            for n, (moment, row) in enumerate(zip(began, rows, strict=True))
        ]
        return Counter({User._meta.db_table: copy_rows(users)}) + write_sales(sales)

    def _sale(self, began: datetime, buyer: Person, module: Module, *, row: int, user: int) -> Sale:
        template = choose(self.told[module.pk], began=began, at=self.at, dice=self.dice)
        return Sale(template, began, buyer, {"row": str(row), "buyer": str(user)})


def _account(key: int, known: Person, *, joined: datetime) -> User:
    """Somebody who has confirmed the address, and cannot sign in: there is no password."""
    return User(
        pk=key, email=known.email, name=known.name, language=known.language, password=make_password(None),
        date_joined=joined - timedelta(minutes=9), email_confirmed_at=joined - timedelta(minutes=7),
    )  # fmt: skip
