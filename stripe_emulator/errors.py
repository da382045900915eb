"""What the emulator refuses, in Stripe's words: https://docs.stripe.com/api/errors"""

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]


class StripeRefusal(Exception):
    """A call that changes nothing. `param` names the parameter that is wrong, as Stripe writes it."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        param: str = "",
        status: int = 400,
        type: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.status, self.type = message, code, param, status, type

    @property
    def body(self) -> Json:
        """The `error` object of the answer; what does not apply is left out, as Stripe does."""
        error = {"type": self.type, "message": self.message, "code": self.code, "param": self.param}
        return {name: value for name, value in error.items() if value}


class NoSuchObject(StripeRefusal):
    """404: there is nothing with this id."""

    def __init__(self, kind: str, id: str, *, param: str = "id") -> None:
        super().__init__(f"No such {kind}: '{id}'", code="resource_missing", param=param, status=404)


class CardDeclined(StripeRefusal):
    """402: the call was carried out and its outcome is a refusal. What it changed stays; nothing is rolled back."""

    def __init__(self, message: str, *, code: str, decline_code: str = "", charge: str = "", **objects: Json) -> None:
        super().__init__(message, code=code, status=402, type="card_error")
        self.decline_code, self.charge, self.objects = decline_code, charge, objects

    @property
    def body(self) -> Json:
        """Also the objects that the try has left: `payment_intent=…`, `setup_intent=…`, `payment_method=…`."""
        details = {"decline_code": self.decline_code, "charge": self.charge, **self.objects}
        return super().body | {name: value for name, value in details.items() if value}


def param_path(path: str, name: str) -> str:
    """The parameter's full name, as Stripe writes it."""
    return f"{path}[{name}]" if path else name


def missing_param(param: str) -> StripeRefusal:
    """The refusal of a call without this parameter."""
    return StripeRefusal(f"Missing required param: {param}.", code="parameter_missing", param=param)


def refuse_unsupported(params: Json, names: Iterable[str], *, of: str, inside: str = "") -> None:
    """Raises StripeRefusal for a parameter that the emulator understands and does not play."""
    for name in names:
        if params.get(name):
            raise StripeRefusal(f"The emulator knows no {name} of {of}.", param=param_path(inside, name))


def require_one(params: Json, one: str, other: str, *, inside: str = "") -> None:
    """Raises StripeRefusal unless exactly one of the two is given."""
    if bool(params.get(one)) == bool(params.get(other)):
        message = f"You must specify either {param_path(inside, one)} or {param_path(inside, other)}, not both."
        raise StripeRefusal(message, code="parameter_missing", param=param_path(inside, one))


def require_param(details: Json, name: str, *, inside: str = "") -> Any:
    """The value with this name. Raises StripeRefusal when it is not there."""
    if not details.get(name):
        raise missing_param(param_path(inside, name))
    return details[name]
