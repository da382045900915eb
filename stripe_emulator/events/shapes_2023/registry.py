"""Which function writes which object in the older shape."""

from collections.abc import Callable

from stripe_emulator.models import Json

Writer = Callable[[Json, Json], Json]
WRITERS: dict[str, Writer] = {}
# Fields of later versions that several objects have.
LATER_FIELDS = (
    "allowed_payment_method_types",
    "customer_account",
    "excluded_payment_method_types",
    "managed_payments",
    "payment_record",
    "presentment_details",
)


def writes(kind: str) -> Callable[[Writer], Writer]:
    """Register the function for objects of this kind: `writer(object, hidden) -> object of 2023-10-16`."""

    def register(writer: Writer) -> Writer:
        WRITERS[kind] = writer
        return writer

    return register


def written(shown: Json, hidden: Json) -> Json:
    """The object as version 2023-10-16 shows it; `hidden` is what the emulator knows beside."""
    writer = WRITERS.get(shown.get("object", ""))
    return without(writer(shown, hidden) if writer else shown, *LATER_FIELDS)


def without(shown: Json, *names: str) -> Json:
    """A copy that lacks these fields."""
    return {name: value for name, value in shown.items() if name not in names}
