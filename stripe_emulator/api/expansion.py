"""`expand`: ids replaced by their objects, as deep as asked for: https://docs.stripe.com/api/expanding_objects"""

from typing import Any

from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.models import StoredObject
from stripe_emulator.shapes.included import INCLUDED
from stripe_emulator.store import stub

DEEPEST, MOST = 4, 20


def expand(answer: Json, paths: list[str]) -> Json:
    """A copy of the answer with what these paths name, such as "data.payment_intent.latest_charge"."""
    if len(paths) > MOST:
        raise StripeRefusal(f"You can expand at most {MOST} properties at once.", param="expand")
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST + (steps[0] == "data"):
            raise StripeRefusal(f"You cannot expand more than {DEEPEST} levels: {path}", param="expand")
        answer = _expanded(answer, steps, path)
    return answer


def _expanded(shown: Any, steps: list[str], path: str) -> Any:
    """`shown` with the first step replaced by its object, and the rest of the steps inside it."""
    if isinstance(shown, list):
        return [_expanded(each, steps, path) for each in shown]
    if not steps or not isinstance(shown, dict):
        return shown
    step, *deeper = steps
    maker = INCLUDED.get((shown.get("object", ""), step))
    if step not in shown and maker is None:
        raise StripeRefusal(f"This property cannot be expanded ({path}).", param="expand[0]")
    value = shown.get(step)
    if maker and not isinstance(value, dict):
        value = maker(StoredObject.objects.get(stripe_id=shown["id"]))
    return {**shown, step: _expanded(_object_of(value), deeper, path)}


def _object_of(value: Any) -> Any:
    """The object that an id names; anything else stays."""
    if isinstance(value, list):
        return [_object_of(each) for each in value]
    if not isinstance(value, str):
        return value
    found = StoredObject.objects.filter(stripe_id=value).first()
    if found is None:
        return value
    return stub(found) if found.is_deleted else found.data
