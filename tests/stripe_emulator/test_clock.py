"""Every object lives in a time of its own."""

from stripe_emulator import clock, store, timers
from stripe_emulator.objects.account import new_customer

HOUR = 3600


class TestNowFor:
    def test_is_the_real_time_for_what_is_new(self, db):
        timers.advance(500 * HOUR)

        newborn = store.keep(new_customer(clock.real_now()))

        assert abs(clock.now_for(newborn) - clock.real_now()) <= 1

    def test_goes_on_by_what_is_advanced_since_its_birth(self, db):
        timers.advance(500 * HOUR)
        customer = store.keep(new_customer(clock.real_now()))

        timers.advance(3 * HOUR)

        assert abs(clock.now_for(customer) - clock.real_now() - 3 * HOUR) <= 1

    def test_is_the_same_for_a_child_as_for_its_parent(self, db):
        parent = store.keep(new_customer(clock.real_now()))
        timers.advance(HOUR)

        child = store.keep(new_customer(clock.now_for(parent)), parent=parent)

        assert abs(clock.now_for(child) - clock.now_for(parent)) <= 1
