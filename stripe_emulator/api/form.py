"""Reads parameters as Stripe's clients write them: `items[0][price]=…&metadata[order]=…&expand[]=…`."""

import re
from urllib.parse import parse_qsl

from stripe_emulator.errors import Json, StripeRefusal

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
LONGEST_NAME, MOST_PARAMETERS = 400, 5000


def read_form(encoded: str) -> Json:
    """Nested dicts; lists too stay dicts, with "0", "1", … as keys, until somebody knows better.

    Raises StripeRefusal for names that make no sense.
    """
    if "%00" in encoded or "\0" in encoded:
        raise StripeRefusal("Parameters are texts: they hold no character of number zero.")
    found: Json = {}
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise StripeRefusal("The request has too many parameters.") from None
    for name, value in pairs:
        _put(found, _steps(name), value)
    return found


def _steps(name: str) -> list[str]:
    """`items[0][price]` as its three steps."""
    match = NAME.fullmatch(name) if len(name) <= LONGEST_NAME else None
    if match is None:
        raise StripeRefusal(f"Invalid parameter name: {name[:LONGEST_NAME]}")
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


def _put(found: Json, steps: list[str], value: str) -> None:
    *way, last = steps
    inner = found
    for step in way:
        inner = inner.setdefault(step or str(len(inner)), {})
        if not isinstance(inner, dict):
            raise StripeRefusal(f"Invalid parameter: {way[0]} has a value and inner fields at once.", param=way[0])
    inner[last or str(len(inner))] = value
