"""What tests of the API may use: a module, somebody who has bought it, and other programs with service keys."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from modules_access.models import Module, Scope, ServiceKey
from modules_access.services.keys import create_key
from payments.orders.models import Order
from tests.support.factories import NOON
from tests.support.modules import make_buyer

GENERATE = "/api/generate-module-token-webhook"
VERIFY = "/api/module-tokens/verify"
REVOKE = "/api/module-tokens/revoke"


@pytest.fixture(autouse=True)
def _noon(time_machine: Any) -> None:
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def order(learner: User, module: Module) -> Order:
    """Paid, by this person for this module."""
    return make_buyer(learner, module).order


class Program:
    """Somebody's program; is answered in English. `key` None: it sends none."""

    def __init__(self, key: ServiceKey | None, raw: str) -> None:
        self.key, self.raw = key, raw
        bearer = {"Authorization": f"Bearer {raw}"} if raw else {}
        self.client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en", **bearer})

    def post(self, address: str, **body: Any) -> Any:
        return self.client.post(address, body, content_type="application/json")

    def generate(self, order: Order, **other: Any) -> Any:
        """Asks for the token of the order, for whoever has bought it, unless something else is said."""
        bought = order.module_purchase
        usual = {"moduleId": bought.module.slug, "userId": bought.user_id, "paymentId": order.number}
        return self.post(GENERATE, **{**usual, **other})

    def verify(self, token: str, **other: Any) -> Any:
        return self.post(VERIFY, token=token, **other)

    def revoke(self, **body: Any) -> Any:
        return self.post(REVOKE, **{"reason": "lost", **body})


@pytest.fixture
def make_program(db: None) -> Callable[..., Program]:
    def make(*scopes: str, module: Module | None = None) -> Program:
        key, raw = create_key(
            name="drawing school", scopes=scopes or Scope.values, module=module, expires_at=None, by=None, at=NOON
        )
        return Program(key, raw)

    return make


@pytest.fixture
def program(make_program: Callable[..., Program]) -> Program:
    """May do everything, for every module."""
    return make_program()


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def fields_of(response: Any) -> set[str]:
    """The names of the fields with which something is wrong."""
    assert code_of(response) == (400, "invalid")
    return set(response.json()["error"]["fields"])
