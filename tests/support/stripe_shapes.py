"""Compares objects with the classes of the official SDK, which are the pinned shape."""

import ast
import inspect
import sys
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib import import_module
from types import NoneType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from stripe import ListObject, StripeObject

UNTYPED = "UntypedStripeObject"
ALSO = {int: (int,), str: (str,), bool: (bool,), float: (int, float), Decimal: (str,)}


def assert_pinned_shape(data: dict[str, Any], cls: type) -> None:
    """Every field is one of the class and of a type that it allows, and no field that is always there is missing.

    Fields inside are compared with their own classes, at any depth. `cls`: for example `stripe.Charge`.
    """
    problems = list(_problems(data, cls, path=cls.__name__))
    assert not problems, "\n".join(problems)


def _problems(data: dict[str, Any], cls: type, path: str) -> Iterator[str]:
    fields = _fields(cls)
    for name, hint in fields.items():
        if name not in data and NoneType not in _alternatives(hint):
            yield f"{path}.{name} is missing"
    for name, value in data.items():
        if name not in fields:
            yield f"{path}.{name} is unknown"
        else:
            yield from _misfits(value, _alternatives(fields[name]), f"{path}.{name}")


def _misfits(value: Any, kinds: list[Any], path: str) -> Iterator[str]:
    """What is wrong with a value that may be of these kinds."""
    if isinstance(value, dict):
        yield from _misfits_of_object(value, kinds, path)
    elif isinstance(value, list):
        rows = [get_args(kind)[0] for kind in kinds if get_origin(kind) is list]
        if not rows:
            yield f"{path} is no list"
        for number, each in enumerate(value):
            yield from _misfits(each, [plain for row in rows for plain in _alternatives(row)], f"{path}[{number}]")
    elif not any(_fits(value, kind) for kind in kinds):
        yield f"{path} must not be {value!r}"


def _misfits_of_object(value: dict[str, Any], kinds: list[Any], path: str) -> Iterator[str]:
    if any(UNTYPED in str(kind) or kind is Any for kind in kinds):
        return
    lists = [kind for kind in kinds if get_origin(kind) is ListObject]
    if lists and value.get("object") == "list":
        yield from _misfits(value["data"], [list[get_args(lists[0])[0]]], f"{path}.data")  # type: ignore[misc]
        return
    classes = [kind for kind in kinds if inspect.isclass(kind) and issubclass(kind, StripeObject)]
    fitting = [each for each in classes if getattr(each, "OBJECT_NAME", None) in (None, value.get("object"))]
    if not fitting:
        yield f"{path} has no inner fields"
    elif len(fitting) == 1:
        yield from _problems(value, fitting[0], path)


def _fits(value: Any, kind: Any) -> bool:
    if value is None:
        return kind is NoneType
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    return kind is Any or type(value) in ALSO.get(kind, ())


def _alternatives(hint: Any) -> list[Any]:
    if get_origin(hint) is Union:
        return [plain for each in get_args(hint) for plain in _alternatives(each)]
    return [hint]


@cache
def _fields(cls: type) -> dict[str, Any]:
    """Name and type of every field that the class declares."""
    module = sys.modules[cls.__module__]
    known = {"StripeObject": StripeObject, **vars(module), **_names_for_checkers(module.__name__), **vars(cls)}
    hints = get_type_hints(cls, globalns=known)
    return {name: hints[name] for name in cls.__annotations__ if get_origin(hints[name]) is not ClassVar}


@cache
def _names_for_checkers(module_name: str) -> dict[str, Any]:
    """What the module imports `if TYPE_CHECKING`: its annotations are made of it."""
    tree = ast.parse(inspect.getsource(sys.modules[module_name]))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in ast.walk(block) if isinstance(node, ast.ImportFrom)]
    return {
        alias.asname or alias.name: getattr(import_module(node.module or ""), alias.name)
        for node in imports
        for alias in node.names
    }
