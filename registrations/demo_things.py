"""What the demo shop offers: in both languages, with a picture, at hours and places where such things take place."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from io import BytesIO
from typing import Any

from django.conf import settings
from django.utils.timezone import get_default_timezone, localdate

from accounts.pictures.models import Picture
from accounts.pictures.upload import keep_picture
from registrations.demo_pictures.draw import HERE as PICTURES
from registrations.details import folded
from registrations.models import Activity

A_DAY = timedelta(days=1)
WEEKDAY_EVENINGS, SATURDAY = frozenset({1, 2, 3}), frozenset({5})


_scaled: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of it in one language."""

    title: str
    summary: str
    description: str


@dataclass(frozen=True, slots=True)
class Venue:
    """Where it takes place."""

    place: str
    address: str
    city: str


ARTS = Venue("Maison des arts", "12 rue des Tables-Claudiennes", "Lyon")
HALL = Venue("Salle Jean-Moulin", "25 cours Vitton", "Lyon")
CONSERVATORY = Venue("Conservatoire", "6 chemin de Gordes", "Grenoble")
BINDERY = Venue("Atelier du Quai", "3 quai Perrière", "Grenoble")
FARM = Venue("Ferme du Plan", "41 montée Saint-Marcel", "Vienne")
VALLEY = Venue("Poterie du Vallon", "8 chemin du Vallon", "Vienne")


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that takes place again and again. `price` in minor units of CURRENCY.

    It `begins` at this hour of the site's clock, on one of the `weekdays` (0: Monday). `told` by language.
    """

    slug: str
    picture: str
    price: int
    venue: Venue
    weekdays: Collection[int]
    begins: time
    lasts: timedelta
    told: Mapping[str, Told]

    def starts_after(self, moment: datetime) -> datetime:
        """The first time on a later day."""
        day = localdate(moment) + A_DAY
        while day.weekday() not in self.weekdays:
            day += A_DAY
        return datetime.combine(day, self.begins, tzinfo=get_default_timezone())

    def columns(self, *, starts_at: datetime, picture: Picture) -> dict[str, Any]:
        """Of an activity in which it takes place: the texts in the site's language, and what differs in the others."""
        own = settings.LANGUAGE_CODE[:2]
        texts = {language: _columns(told) for language, told in self.told.items()}
        base = texts.pop(own, None) or _columns(self.told["en"])
        columns = {
            **base, "translations": texts, "picture": picture, "starts_at": starts_at,
            "ends_at": starts_at + self.lasts, "place": self.venue.place, "address": self.venue.address,
            "city": self.venue.city, "price": self.price, "refund_days": REFUND_DAYS if self.price else None,
        }  # fmt: skip
        return {**columns, "search_text": folded(" ".join(Activity(**columns).words()))}


def _columns(told: Told) -> dict[str, str]:
    return {"title": told.title, "summary": told.summary, "description": told.description}


def keep_pictures(things: Collection[Thing]) -> dict[str, Picture]:
    """The pictures of these things, kept where the site serves them from, by their names."""
    return {name: _keep(name) for name in dict.fromkeys(thing.picture for thing in things)}


def _keep(name: str) -> Picture:
    """Scaling takes a tenth of a second, and is done once a process."""
    if name not in _scaled:
        made = keep_picture(BytesIO((PICTURES / f"{name}.webp").read_bytes()))
        _scaled[name] = {each: getattr(made, each) for each in ("digest", "narrow", "wide", "width", "height")}
    columns = _scaled[name]
    picture, _is_new = Picture.objects.get_or_create(digest=columns["digest"], defaults=columns)
    return picture


CURRENCY = "eur"
REFUND_DAYS = 7
POTTERY = Thing(
    "poterie", "bowl", 4900, ARTS, SATURDAY, time(10), timedelta(hours=6),
    {
        "en": Told(
            "Pottery workshop", "Throw, shape and glaze your first bowl in a day.",
            "A day at the wheel, in a small group: centre the clay, open it, raise the walls, then choose a glaze.\n\n"
            "Clay, tools and firing are included. Wear clothes that may get dirty; your bowl is ready after ten days.",
        ),
        "fr": Told(
            "Atelier poterie", "Une journée pour tourner, modeler et émailler votre premier bol.",
            "Une journée au tour, en petit groupe : centrer la terre, l’ouvrir, monter les parois, puis choisir "
            "un émail.\n\nLa terre, les outils et la cuisson sont compris. Prévoyez des vêtements qui ne craignent "
            "rien ; votre bol est prêt dix jours plus tard.",
        ),
    },
)  # fmt: skip
FIRST_AID = Thing(
    "secours", "first-aid", 6000, HALL, SATURDAY, time(9), timedelta(hours=7),
    {
        "en": Told(
            "First aid course", "The moves that save lives, with plenty of practice.",
            "Raise the alarm, protect, help: you practise every move in a small group until it comes by itself.\n\n"
            "You receive a certificate at the end of the day. Coffee is on us, lunch is not included.",
        ),
        "fr": Told(
            "Formation premiers secours", "Les gestes qui sauvent, avec beaucoup de pratique.",
            "Alerter, protéger, secourir : chaque geste est répété en petit groupe jusqu’à devenir un réflexe.\n\n"
            "Une attestation est remise en fin de journée. Le café est offert, le déjeuner n’est pas compris.",
        ),
    },
)  # fmt: skip
CHOIR = Thing(
    "chorale", "singers", 3000, CONSERVATORY, WEEKDAY_EVENINGS, time(19), timedelta(hours=2, minutes=30),
    {
        "en": Told(
            "Choir evening", "An evening of song for every voice, with or without experience.",
            "We warm up, learn three songs by ear and sing them in parts before we leave.\n\n"
            "Nobody has to read music, and nobody sings alone.",
        ),
        "fr": Told(
            "Soirée chorale", "Une soirée de chant pour toutes les voix, avec ou sans expérience.",
            "On s’échauffe, on apprend trois chansons à l’oreille et on les chante à plusieurs voix avant de "
            "partir.\n\n"
            "Inutile de savoir lire la musique, et personne ne chante seul.",
        ),
    },
)  # fmt: skip
OPEN_DAY = Thing(
    "portes-ouvertes", "open-door", 0, ARTS, SATURDAY, time(14), timedelta(hours=4),
    {
        "en": Told(
            "Open day", "See the workshops, try the wheel and meet the makers.",
            "Come and go as you like: every hour there is a tour of the workshops and a free turn at the wheel.\n\n"
            "Admission is free; please register so that there is enough cake.",
        ),
        "fr": Told(
            "Portes ouvertes", "Venez voir les ateliers, essayer le tour et rencontrer les artisans.",
            "Venez quand vous voulez : chaque heure, une visite des ateliers et un tour de potier à essayer.\n\n"
            "L’entrée est libre ; inscrivez-vous pour qu’il y ait assez de gâteau.",
        ),
    },
)  # fmt: skip
KILN = Thing(
    "visite", "kiln", 0, VALLEY, WEEKDAY_EVENINGS, time(18, 30), timedelta(hours=1, minutes=30),
    {
        "en": Told(
            "A night at the wood kiln", "An hour and a half around the fire, on the evening of a firing.",
            "The kiln is at 1,280 °C: see how it is fed, and how the glaze is read through the spyhole.\n\n"
            "The room is small, so there are only a few places. Please wear closed shoes.",
        ),
        "fr": Told(
            "Une soirée au four à bois", "Une heure et demie autour du feu, le soir de la cuisson.",
            "Le four est à 1 280 °C : on voit comment on l’alimente et comment on lit l’émail par le regard.\n\n"
            "Le lieu est petit, les places sont peu nombreuses. Prévoyez des chaussures fermées.",
        ),
    },
)  # fmt: skip
BASKETS = Thing(
    "vannerie", "basket", 5500, FARM, SATURDAY, time(9, 30), timedelta(hours=7),
    {
        "en": Told(
            "Basket weaving for beginners", "From a bundle of willow to a basket you take home.",
            "Soak, sort, stake, weave: by the evening everybody has a basket that holds.\n\n"
            "Willow and tools are included, and so is soup at noon.",
        ),
        "fr": Told(
            "Initiation à la vannerie", "D’une botte d’osier au panier que l’on emporte.",
            "Tremper, trier, monter, tresser : le soir, chacun repart avec un panier solide.\n\n"
            "L’osier et les outils sont compris, la soupe de midi aussi.",
        ),
    },
)  # fmt: skip
BINDING = Thing(
    "reliure", "notebook", 7200, BINDERY, SATURDAY, time(10), timedelta(hours=6, minutes=30),
    {
        "en": Told(
            "Bookbinding in a day", "A notebook that you sew and bind by hand.",
            "Fold, pierce, sew, glue: you leave with a notebook that opens flat and lasts for years.\n\n"
            "Paper, cloth and thread are included. No experience needed, only patience.",
        ),
        "fr": Told(
            "Reliure en une journée", "Un carnet cousu et relié à la main.",
            "Plier, percer, coudre, coller : vous repartez avec un carnet qui s’ouvre à plat et dure des années.\n\n"
            "Papier, toile et fil sont compris. Aucune expérience requise, un peu de patience.",
        ),
    },
)  # fmt: skip
WATERCOLOUR = Thing(
    "aquarelle", "watercolour", 3800, ARTS, WEEKDAY_EVENINGS, time(18), timedelta(hours=2, minutes=30),
    {
        "en": Told(
            "Watercolour after work", "Colour, water and light: an evening to let go.",
            "A short demonstration, then everybody paints from the same view at their own pace.\n\n"
            "Paper, brushes and paint are there. You take home what you have painted.",
        ),
        "fr": Told(
            "Aquarelle après le travail", "Couleurs, eau et lumière : une soirée pour lâcher prise.",
            "Une courte démonstration, puis chacun peint la même vue à son rythme.\n\n"
            "Papier, pinceaux et couleurs sont sur place. Vous repartez avec vos peintures.",
        ),
    },
)  # fmt: skip
# What a shop that has sold for a while has had over and over.
OFTEN = (POTTERY, FIRST_AID, CHOIR, BASKETS, KILN, BINDING, WATERCOLOUR)
