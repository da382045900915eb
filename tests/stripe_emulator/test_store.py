"""Finds and keeps objects."""

import pytest

from stripe_emulator import store
from stripe_emulator.errors import NoSuchObject
from stripe_emulator.objects.account import new_customer


@pytest.fixture
def ada(db):
    return store.keep(new_customer(1000, name="Ada"), secret="hers")


class TestKeep:
    def test_takes_id_kind_and_birth_from_the_object(self, ada):
        assert (ada.stripe_id, ada.kind, ada.created) == (ada.data["id"], "customer", 1000)
        assert ada.hidden == {"secret": "hers"}


class TestGet:
    def test_finds_the_kind_and_the_id(self, ada):
        assert store.get("customer", ada.stripe_id) == ada

    def test_does_not_mistake_one_kind_for_another(self, ada):
        with pytest.raises(NoSuchObject) as refusal:
            store.get("invoice", ada.stripe_id, param="invoice")

        assert refusal.value.body["code"] == "resource_missing"
        assert refusal.value.body["param"] == "invoice"

    def test_also_finds_what_was_deleted(self, ada):
        store.delete(ada)

        assert store.get("customer", ada.stripe_id).is_deleted


class TestGetLiving:
    def test_does_not_find_what_was_deleted(self, ada):
        store.delete(ada)

        with pytest.raises(NoSuchObject):
            store.get_living("customer", ada.stripe_id)


class TestFind:
    def test_compares_fields_and_shows_the_newest_first(self, ada):
        older = store.keep(new_customer(500, name="Ada"))
        store.keep(new_customer(700, name="Bob"))

        assert list(store.find("customer", name="Ada")) == [ada, older]

    def test_leaves_out_what_was_deleted(self, ada):
        store.delete(ada)

        assert not store.find("customer").exists()


class TestDelete:
    def test_answers_with_the_stub(self, ada):
        assert store.delete(ada) == {"id": ada.stripe_id, "object": "customer", "deleted": True}


class TestChange:
    def test_tells_what_was_different_before(self, ada):
        previous = ada.change(name="Ada L.", email=None, phone="1")

        assert previous == {"name": "Ada", "phone": None}
        ada.refresh_from_db()
        assert ada.data["name"] == "Ada L."
