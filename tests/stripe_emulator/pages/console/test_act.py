"""The one address that acts."""

import pytest

from stripe_emulator.models import StoredObject
from stripe_emulator.pages.console.act import MODULES
from stripe_emulator.pages.console.actions import ACTIONS
from stripe_emulator.pages.console.done import DONE
from tests.support.console import Console

URLS = {"success_url": "http://127.0.0.1:8000/thanks"}
POTTERY = {"currency": "eur", "unit_amount": 4900, "product_data": {"name": "Pottery"}}


def data_of(id):
    return StoredObject.objects.get(stripe_id=id).data


class TestAct:
    def test_says_something_about_everything_that_it_can_do(self):
        assert len(MODULES) == 3
        assert set(ACTIONS) == set(DONE)

    @pytest.mark.parametrize(
        "do",
        [
            *(f"{name} nobody_1" for name, action in ACTIONS.items() if action.kind),
            "delivery.send 99999999999999999999999",
            "delivery.send ²",
            "session.pay \0",
            "no.such action",
            "",
        ],
    )
    def test_finds_nothing_under_other_ids_and_names(self, console, do):
        assert console.post("/act", {"do": do}).status_code == 404

    def test_asks_for_the_token_of_its_form(self, session):
        careful = Console(enforce_csrf_checks=True)

        answer = careful.post("/act", {"do": f"session.expire {session.id}"})

        assert answer.status_code == 403
        assert data_of(session.id)["status"] == "open"

    def test_goes_back_to_where_it_was(self, console, session):
        told = {"do": f"session.expire {session.id}", "next": f"/objects/{session.id}?done=session.pay"}

        answer = console.post("/act", told)

        assert answer.status_code == 303
        assert answer["Location"] == f"/objects/{session.id}?done=session.expire"

    @pytest.mark.parametrize("next", ["http://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1"])
    def test_goes_back_to_no_other_site(self, console, session, next):
        answer = console.post("/act", {"do": f"session.expire {session.id}", "next": next})

        assert answer["Location"] == "/?done=session.expire#sessions"

    @pytest.mark.parametrize("query", ["done=Give+me+money", "refused=Give+me+money", "refused=Give:me:money"])
    def test_no_link_puts_words_into_its_mouth(self, console, query):
        page = console.read(f"/?{query}")

        assert "notice" not in page
        assert "money" not in page.replace("no money moves here", "")
