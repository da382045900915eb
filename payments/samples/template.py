"""A template: the rows that the product itself has left of one order, as COPY reads them, with blanks.

What differs from copy to copy (ids, names, moments, the price) has an unmistakable value in the one order, and is found
by it wherever it stands: in a column, in the payload of an event, in the key of a mail.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import models

from payments.orders.models import Order
from payments.samples.bulk import Fields, copy_lines, line_of, written_fields

# When the one order begins. Stripe counts in whole seconds, so that every copy must begin with one.
BEGAN = datetime(2011, 2, 3, 4, 5, 6, tzinfo=UTC)
A_YEAR = timedelta(days=366)
ISO = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?\+00:00"
UNIX = r"(?<![\w.-])1\d{9}(?![\w.-])"
# What would end the text in which a value stands: it is written into JSON and arrays as it is.
UNSAFE = re.compile(r"""["\\\x00-\x1f]""")
Values = Mapping[str, str]


def unmistakable(number: int) -> int:
    """An id that no other row has, and that is part of no other number."""
    return 7_700_000_000_000_000_000 + number


class Unfit(ValueError):
    """A value that cannot be written into a blank."""


@dataclass(slots=True)
class Blanks:
    """What the values of the one order are called, by their text; moments are found by themselves."""

    names: Mapping[str, str]
    moments: dict[str, timedelta] = field(default_factory=dict)
    seconds: dict[str, timedelta] = field(default_factory=dict)

    def cut_out(self, text: str) -> str:
        """The text as a format: `%(order)s` where the one order's number stood."""
        known = "|".join(map(re.escape, sorted(self.names, key=len, reverse=True)))
        return re.sub(f"({known})|({ISO})|({UNIX})", self._blank, text.replace("%", "%%"))

    def _blank(self, match: re.Match[str]) -> str:
        if match[1]:
            return f"%({self.names[match[1]]})s"
        if match[2]:
            return self._moment(datetime.fromisoformat(match[2]), "moment", self.moments)
        moment = datetime.fromtimestamp(int(match[3]), tz=UTC)
        # Else it counts something else.
        return self._moment(moment, "second", self.seconds) if abs(moment - BEGAN) < A_YEAR else match[0]

    def _moment(self, moment: datetime, kind: str, known: dict[str, timedelta]) -> str:
        name = f"{kind}_{(moment - BEGAN) // timedelta(microseconds=1)}"
        known[name] = moment - BEGAN
        return f"%({name})s"


@dataclass(frozen=True, slots=True)
class Template:
    """The formats of all rows of one order by model, in the order in which they came about.

    `rows`: what they were made of; `lasts`: from the beginning until nothing more happens by itself.
    """

    formats: Mapping[type[models.Model], Sequence[str]]
    blanks: Blanks
    rows: Sequence[models.Model]
    lasts: timedelta

    @classmethod
    def of(cls, order: Order, names: Mapping[str, str], *, lasts: timedelta) -> "Template":
        """The order with all rows that belong to it, as they stand in the database. `names`: those of its values."""
        blanks, formats = Blanks(names), defaultdict(list)
        order.refresh_from_db()
        rows = rows_of(order)
        for row in rows:
            formats[type(row)].append(blanks.cut_out(line_of(row, fields_of(type(row), names, row))))
        return cls(formats, blanks, rows, lasts)

    def values(self, given: Values, *, began: datetime) -> dict[str, str]:
        """All that is written into the blanks of one copy. Raises Unfit for what would break the text around it."""
        if any(UNSAFE.search(value) for value in given.values()):
            raise Unfit("A quotation mark, a backslash or a control character stands in a value.")
        moments = {name: (began + after).isoformat(" ") for name, after in self.blanks.moments.items()}
        whole = int(began.timestamp())
        seconds = {name: str(whole + int(after.total_seconds())) for name, after in self.blanks.seconds.items()}
        return {**given, **moments, **seconds}


def rows_of(order: Order) -> list[models.Model]:
    """The order and whatever refers to it, and to that in turn."""
    found: dict[models.Model, None] = {order: None}
    named: list[models.Model] = [order]
    while named:
        named = [each for each in _naming(named) if each not in found]
        found |= dict.fromkeys(named)
    return list(found)


def _naming(rows: Sequence[models.Model]) -> Iterator[models.Model]:
    """What refers to one of these rows."""
    by_model = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row.pk)
    for model, keys in by_model.items():
        for relation in model._meta.related_objects:
            manager = relation.related_model._base_manager
            yield from manager.filter(**{f"{relation.field.name}__in": keys}).order_by("pk")


def fields_of(model: type[models.Model], names: Mapping[str, str], row: models.Model) -> Fields:
    """The columns of a copy: the key where others name it, else the database gives the next one."""
    return written_fields(model, with_key=str(row.pk) in names)


def write_copies(copies: Sequence[tuple[Template, Values]]) -> Counter[str]:
    """Insert these copies, each template with its values, in the caller's transaction. Returns the rows by table."""
    written = Counter[str]()
    models_in_order = dict.fromkeys(model for template, _values in copies for model in template.formats)
    for model in models_in_order:
        sample = next(template for template, _values in copies if model in template.formats)
        row = next(each for each in sample.rows if type(each) is model)
        fields = fields_of(model, sample.blanks.names, row)
        written[model._meta.db_table] += copy_lines(model, fields, _lines(model, copies))
    return written


def _lines(model: type[models.Model], copies: Iterable[tuple[Template, Values]]) -> Iterable[str]:
    for template, values in copies:
        for each in template.formats.get(model, ()):
            yield each % values
