"""What happens by itself, in order, whatever is advanced."""

import pytest

from stripe_emulator import clock, store, timers
from stripe_emulator.errors import CardDeclined, StripeRefusal
from stripe_emulator.models import StoredObject, Timer
from stripe_emulator.objects.account import new_customer

HOUR = 3600


@pytest.fixture
def happened(monkeypatch):
    """What has happened: kind, object and moment; every "test.…" timer is noted here."""
    noted: list[tuple[str, str, int]] = []

    def noting(kind: str):
        return lambda stored, at: noted.append((kind, stored.stripe_id, at))

    for kind in ("test.one", "test.two"):
        monkeypatch.setitem(timers.REACTIONS, kind, noting(kind))
    return noted


def something() -> StoredObject:
    return store.keep(new_customer(clock.real_now()))


class TestAdvance:
    def test_does_what_falls_due_in_order(self, db, happened):
        late, early = something(), something()
        start = clock.now_for(late)
        timers.set_timer("test.one", late, at=start + 2 * HOUR)
        timers.set_timer("test.two", early, at=start + HOUR)

        fired = timers.advance(3 * HOUR)

        assert fired == 2
        assert happened == [
            ("test.two", early.stripe_id, start + HOUR),
            ("test.one", late.stripe_id, start + 2 * HOUR),
        ]

    def test_keeps_the_order_of_what_is_due_at_once(self, db, happened):
        things = [something() for _ in range(3)]
        moment = clock.now_for(things[0]) + HOUR
        for thing in things:
            timers.set_timer("test.one", thing, at=moment)

        timers.advance(HOUR + 5)

        assert [id for _, id, _ in happened] == [thing.stripe_id for thing in things]

    def test_leaves_what_is_not_due(self, db, happened):
        thing = something()
        timers.set_timer("test.one", thing, at=clock.now_for(thing) + 2 * HOUR)

        assert timers.advance(HOUR) == 0
        assert happened == []

    def test_does_what_a_reaction_sets_before_what_was_due_later(self, db, happened, monkeypatch):
        first, last = something(), something()
        start = clock.now_for(first)
        timers.set_timer("test.chain", first, at=start + HOUR)
        timers.set_timer("test.one", last, at=start + 3 * HOUR)

        def chain(stored: StoredObject, at: int) -> None:
            timers.set_timer("test.two", stored, at=at + HOUR)

        monkeypatch.setitem(timers.REACTIONS, "test.chain", chain)
        timers.advance(4 * HOUR)

        assert [(kind, at - start) for kind, _, at in happened] == [("test.two", 2 * HOUR), ("test.one", 3 * HOUR)]

    def test_counts_for_what_is_born_later_from_its_birth_on(self, db, happened):
        timers.advance(1000 * HOUR)
        newborn = something()
        start = clock.now_for(newborn)
        timers.set_timer("test.one", newborn, at=start + HOUR)

        assert timers.advance(HOUR - 10) == 0
        assert timers.advance(20) == 1
        assert happened == [("test.one", newborn.stripe_id, start + HOUR)]

    @pytest.mark.parametrize("seconds", [0, -1, timers.LONGEST_ADVANCE + 1])
    def test_refuses_to_go_back_or_too_far(self, db, seconds):
        with pytest.raises(timers.TooFar):
            timers.advance(seconds)

        assert clock.ahead() == 0


class TestSetTimer:
    def test_moves_the_one_that_is_there(self, db, happened):
        thing = something()
        start = clock.now_for(thing)
        timers.set_timer("test.one", thing, at=start + HOUR)

        timers.set_timer("test.one", thing, at=start + 3 * HOUR)

        assert timers.advance(2 * HOUR) == 0
        assert Timer.objects.count() == 1

    def test_lets_kinds_stand_side_by_side(self, db, happened):
        thing = something()
        start = clock.now_for(thing)
        timers.set_timer("test.one", thing, at=start + HOUR)

        timers.set_timer("test.two", thing, at=start + HOUR)

        assert timers.advance(2 * HOUR) == 2


class TestDropTimer:
    def test_lets_it_not_happen(self, db, happened):
        thing = something()
        timers.set_timer("test.one", thing, at=clock.now_for(thing) + HOUR)

        timers.drop_timer("test.one", thing)

        assert timers.advance(2 * HOUR) == 0
        assert happened == []


class TestARefusal:
    def test_is_told_and_not_tried_again(self, db, happened, monkeypatch):
        def refuse(stored, at):
            stored.change(name="half done")
            raise StripeRefusal("No.")

        monkeypatch.setitem(timers.REACTIONS, "test.refused", refuse)
        first, second = something(), something()
        timers.set_timer("test.refused", first, at=clock.now_for(first) + HOUR)
        timers.set_timer("test.one", second, at=clock.now_for(second) + HOUR)

        timers.advance(2 * HOUR)

        first.refresh_from_db()
        assert [kind for kind, _, _ in happened] == ["test.one"]
        assert first.data["name"] is None
        assert not Timer.objects.exists()

    def test_of_a_bank_is_an_outcome(self, db, monkeypatch):
        def decline(stored, at):
            stored.change(name="tried")
            raise CardDeclined("No.", code="card_declined")

        monkeypatch.setitem(timers.REACTIONS, "test.declined", decline)
        thing = something()
        timers.set_timer("test.declined", thing, at=clock.now_for(thing) + HOUR)

        timers.advance(2 * HOUR)

        thing.refresh_from_db()
        assert thing.data["name"] == "tried"
