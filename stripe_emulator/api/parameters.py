"""Reads the parameters of a call, checks them against the types that the SDK declares, merges metadata."""

import re
import sys
from collections.abc import Mapping
from functools import cache
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import stripe.params
import stripe.params.billing_portal
import stripe.params.checkout
from stripe import RequestOptions
from typing_extensions import is_typeddict

from stripe_emulator.errors import Json, StripeRefusal, missing_param, param_path

INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
CLIENT_OPTIONS = frozenset(RequestOptions.__annotations__)
BOOLEANS = {"true": True, "false": False}
PARAMETER_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
LONGEST_NAME, MOST_PARAMETERS = 400, 5000
MOST_KEYS, LONGEST_METADATA_KEY, LONGEST_METADATA_VALUE = 50, 40, 500


def check_params(given: Json, params_class: type, *, strict: bool, path: str = "") -> Json:
    """The parameters with their types. Raises StripeRefusal in Stripe's words.

    `strict`: parameters that the SDK does not know are refused. Otherwise they pass as they come: calls under
    another version of the API have parameters of their own. `path`: where they stand, such as "line_items[0]".
    """
    hints = _hints(params_class)
    for name, hint in hints.items():
        if get_origin(hint) is not NotRequired and name not in given and strict:
            raise missing_param(param_path(path, name))
    checked: Json = {}
    for name, value in given.items():
        full_name = param_path(path, name)
        if name not in hints and strict:
            message = f"Received unknown parameter: {full_name}"
            raise StripeRefusal(message, code="parameter_unknown", param=full_name)
        checked[name] = _value(value, hints[name], path=full_name, strict=strict) if name in hints else value
    return checked


@cache
def params_class(name: str) -> type:
    """The SDK's class, for example "CustomerCreateParams" or "checkout.SessionCreateParams"."""
    found: Any = stripe.params
    for part in name.split("."):
        found = getattr(found, part)
    return found


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


def merged_metadata(before: Json, given: Any) -> Json:
    """What is there after a call: keys are set one by one, an empty value removes one, "" removes all.

    Raises StripeRefusal beyond Stripe's limits.
    """
    if given is None:
        return before
    if given == "":
        return {}
    after = {key: value for key, value in {**before, **given}.items() if value != ""}
    if len(after) > MOST_KEYS:
        raise StripeRefusal(f"Metadata can have up to {MOST_KEYS} keys; there would be {len(after)}.", param="metadata")
    for key, value in after.items():
        if len(key) > LONGEST_METADATA_KEY:
            message = f"Metadata keys can have up to {LONGEST_METADATA_KEY} characters: {key}"
            raise StripeRefusal(message, param="metadata")
        if not isinstance(value, str) or len(value) > LONGEST_METADATA_VALUE:
            message = f"Metadata values can have up to {LONGEST_METADATA_VALUE} characters: {key}"
            raise StripeRefusal(message, param=f"metadata[{key}]")
    return after


@cache
def _hints(params_class: type) -> dict[str, Any]:
    """What may be sent: the class also lists options of the client, some of types that only checkers know."""
    sent = {name: hint for name, hint in params_class.__annotations__.items() if name not in CLIENT_OPTIONS}
    globalns = vars(sys.modules[params_class.__module__])
    return get_type_hints(SimpleNamespace(__annotations__=sent), globalns=globalns, include_extras=True)


def _value(value: Any, hint: Any, *, path: str, strict: bool) -> Any:
    """The value as the first of the declared types that fits it."""
    kinds = _alternatives(hint)
    if strict and any(_words(kind) for kind in kinds):
        # `Literal[…] | str` only prepares the SDK for the words of later versions.
        kinds = [kind for kind in kinds if kind is not str]
    if isinstance(value, Mapping):
        return _nested(dict(value), kinds, path=path, strict=strict)
    for kind in sorted(kinds, key=_narrowness):
        converted = _text(value, kind)
        if converted is not None:
            return converted
    raise _does_not_fit(value, kinds, path)


def _nested(value: Json, kinds: list[Any], *, path: str, strict: bool) -> Any:
    for kind in kinds:
        if is_typeddict(kind):
            return check_params(value, kind, strict=strict, path=path)
        if get_origin(kind) is list:
            (row,) = get_args(kind)
            return [_value(each, row, path=param_path(path, key), strict=strict) for key, each in value.items()]
        if get_origin(kind) is dict or getattr(kind, "__name__", "") == "UntypedStripeObject":
            return value
    raise StripeRefusal(f"Invalid {path}: it has no inner fields.", code="parameter_unknown", param=path)


def _text(value: str, kind: Any) -> Any:
    """The text as this type; None where it does not fit."""
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if kind is bool:
        return BOOLEANS.get(value)
    if kind in (int, float):
        return int(value) if INTEGER.fullmatch(value) else None
    # What has fields can be emptied by an empty text; decimals travel as texts.
    return value if kind is str or getattr(kind, "__name__", "") == "Decimal" else None


def _alternatives(hint: Any) -> list[Any]:
    """A declared type as the plain types that it allows."""
    origin = get_origin(hint)
    if origin in (NotRequired, Required):
        return _alternatives(get_args(hint)[0])
    if origin in (Union, UnionType):
        return [plain for each in get_args(hint) for plain in _alternatives(each)]
    return [] if hint is NoneType else [hint]


def _words(kind: Any) -> list[str]:
    """The words that may be given; an empty one only means that the parameter can be unset."""
    return [word for word in get_args(kind) if word] if get_origin(kind) is Literal else []


def _narrowness(kind: Any) -> int:
    """Words first, any text last."""
    return (get_origin(kind) is not Literal) + (kind is str)


def _does_not_fit(value: str, kinds: list[Any], path: str) -> StripeRefusal:
    if int in kinds:
        return StripeRefusal(f"Invalid integer: {value[:100]}", code="parameter_invalid_integer", param=path)
    if value == "":
        message = f"You passed an empty string for '{path}', which asks to unset it; it cannot be unset."
        return StripeRefusal(message, code="parameter_invalid_empty", param=path)
    words = [word for kind in kinds for word in _words(kind)]
    if words:
        return StripeRefusal(f"Invalid {path}: must be one of {', '.join(words)}", param=path)
    if bool in kinds:
        return StripeRefusal(f"Invalid boolean: {value[:100]}", param=path)
    return StripeRefusal(f"Invalid {'array' if any(get_origin(k) is list for k in kinds) else 'object'}", param=path)


def _steps(name: str) -> list[str]:
    """`items[0][price]` as its three steps."""
    match = PARAMETER_NAME.fullmatch(name) if len(name) <= LONGEST_NAME else None
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
