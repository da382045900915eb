"""A customer in our words: https://docs.stripe.com/api/customers/object"""

from dataclasses import dataclass
from datetime import datetime

from payments.facts import About, CustomerFact
from payments.stripe_api.snapshots.reading import Json, find_object, find_text, get_id

LONGEST_EMAIL, LONGEST_TEXT, LONGEST_COUNTRY = 254, 200, 2


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who pays; `raw` is read only for what is told about them."""

    about: About
    raw: Json

    @classmethod
    def read(cls, source: Json) -> "Customer":
        """Raises MalformedObject without an id."""
        return cls(about=About(customer=get_id(source)), raw=source)

    def told(self, *, at: datetime, is_deleted: bool = False) -> CustomerFact:
        """Who they are and where they live, as it was at that moment."""
        city, country = read_place(find_object(self.raw, "address"))
        return CustomerFact(
            self.about,
            occurred_at=at,
            email=find_text(self.raw, "email", longest=LONGEST_EMAIL).lower(),
            name=find_text(self.raw, "name", longest=LONGEST_TEXT),
            city=city,
            country=country,
            is_deleted=is_deleted or self.raw.get("deleted") is True,
        )


def read_place(address: Json) -> tuple[str, str]:
    """City and country of an address; "" for what it does not tell."""
    return find_text(address, "city", longest=LONGEST_TEXT), find_text(address, "country", longest=LONGEST_COUNTRY)
