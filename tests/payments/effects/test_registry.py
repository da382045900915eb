import pytest

from payments.effects.deliver import DeliveredTwice, delivers, find_deliverer, repeatable_kinds


class TestDelivers:
    def test_makes_the_function_known_by_its_kind(self, kinds):
        @delivers("parcel")
        def send_parcel(effect):
            return None

        found = find_deliverer("parcel")

        assert found.deliver is send_parcel
        assert not found.is_repeatable

    def test_knows_which_kinds_may_be_repeated(self, kinds):
        delivers("money", repeatable=True)(lambda effect: None)
        delivers("parcel")(lambda effect: None)

        assert "money" in repeatable_kinds()
        assert "parcel" not in repeatable_kinds()

    def test_refuses_two_functions_for_one_kind(self, kinds):
        delivers("parcel")(lambda effect: None)

        with pytest.raises(DeliveredTwice, match="parcel"):
            delivers("parcel")(lambda effect: None)


class TestFindDeliverer:
    def test_finds_nothing_for_a_kind_that_nobody_delivers(self):
        assert find_deliverer("pigeon") is None

    @pytest.mark.parametrize(
        "kind",
        [
            "alert.dispute",
            "alert.dispute_closed",
            "alert.event_dead",
            "alert.refund_failed",
            "alert.refund_waits",
            "registration.action_required",
            "registration.closed",
            "registration.confirmed",
            "registration.failed",
            "registration.no_place",
            "registration.refunded",
        ],
    )
    def test_finds_every_mail_of_the_product_none_of_them_repeatable(self, kind):
        assert not find_deliverer(kind).is_repeatable
