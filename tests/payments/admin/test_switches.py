"""Holding a type back and releasing it, from the admin."""

from django.urls import reverse

from payments.ledger.models import HeldType
from payments.processing.drain import drain
from payments.statuses import EventStatus
from tests.support.road import NOON

HELD = "checkout.session.expired"
ADD = reverse("admin:payments_heldtype_add")
LIST = reverse("admin:payments_heldtype_changelist")


def delete_page(name):
    return reverse("admin:payments_heldtype_delete", args=[name.replace("_", "_5F")])


class TestHold:
    def test_keeps_the_type_the_person_and_the_reason(self, page, staff):
        page.post(ADD, {"type": HELD, "reason": "handler is wrong"})

        held = HeldType.objects.get()
        assert (held.type, held.held_by, held.reason) == (HELD, staff, "handler is wrong")

    def test_needs_a_reason_and_a_type_that_is_handled(self, page):
        page.post(ADD, {"type": HELD, "reason": ""})
        page.post(ADD, {"type": "checkout.session.expried", "reason": "a slip"})

        assert not HeldType.objects.exists()

    def test_is_told_when_it_is_held_already(self, page):
        page.post(ADD, {"type": HELD, "reason": "first"})

        response = page.post(ADD, {"type": HELD, "reason": "second"})

        assert "errorlist" in response.content.decode()
        assert HeldType.objects.get().reason == "first"


class TestRelease:
    def test_of_one_type_brings_its_events_back(self, page, waiting_event):
        page.post(ADD, {"type": HELD, "reason": "wait"})
        drain(at=NOON)
        waiting_event.refresh_from_db()
        assert waiting_event.status == EventStatus.HELD

        response = page.post(delete_page(HELD), {"post": "yes"}, follow=True)

        waiting_event.refresh_from_db()
        assert waiting_event.status == EventStatus.RECEIVED
        assert not HeldType.objects.exists()
        assert f"1 event of {HELD} released." in [str(message) for message in response.context["messages"]]

    def test_of_several_types_brings_back_the_events_of_each(self, page, waiting_event):
        page.post(ADD, {"type": HELD, "reason": "wait"})
        page.post(ADD, {"type": "charge.refunded", "reason": "wait"})
        drain(at=NOON)

        chosen = [HELD, "charge.refunded"]
        page.post(LIST, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})

        waiting_event.refresh_from_db()
        assert waiting_event.status == EventStatus.RECEIVED
        assert not HeldType.objects.exists()

    def test_does_not_happen_by_looking_at_the_question(self, page, held_type):
        assert page.get(delete_page(held_type.pk)).status_code == 200

        assert HeldType.objects.filter(pk=held_type.pk).exists()
