"""From the verified bytes of a delivery to an event for the ledger: strict, to be spared surprises later."""

import hashlib
import json
import math
from typing import NoReturn

from payments.ledger.read_event import Incoming, MalformedEvent, read_event


def parse(body: bytes, *, expected_livemode: bool, expected_account: str) -> Incoming:
    """Read the body of a delivery. Raises MalformedEvent."""
    return read_event(
        _json(body),
        body_sha256=hashlib.sha256(body).hexdigest(),
        expected_livemode=expected_livemode,
        expected_account=expected_account,
    )


def _json(body: bytes) -> object:
    try:
        return json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite)
    except UnicodeDecodeError:
        raise MalformedEvent("not_utf8", "The body is not UTF-8.") from None
    except RecursionError:
        raise MalformedEvent("too_deep", "The body has more levels than any Stripe event.") from None
    except ValueError:
        raise MalformedEvent("not_json", "The body is not JSON.") from None


def _finite(text: str) -> float:
    """1e999 is JSON, but it would become infinite, which PostgreSQL's JSON does not know."""
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no number that JSON knows")
