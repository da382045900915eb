from tests.browser.staff import Staff


class TestRefund:
    def test_of_everything_ends_the_registration_and_stands_on_page_and_receipt(self, buyer, enter, activity):
        buyer.buys(activity)
        staff = enter(Staff, language="en")
        staff.signs_in()

        staff.refunds(buyer.registration().order)

        buyer.looks_until("Your payment was refunded")
        buyer.reads("Register again")
        buyer.examines()
        buyer.is_told("Your refund: %(title)s", activity)
        buyer.follow("Receipt for your payment")
        buyer.reads("Given back since")
        buyer.reads(f"−{buyer.amount(4900)}")
        buyer.examines()

    def test_of_a_part_leaves_the_place_and_says_how_much_went_back(self, buyer, enter, activity):
        buyer.buys(activity)
        staff = enter(Staff, language="en")
        staff.signs_in()

        staff.refunds(buyer.registration().order, amount="12.00")

        told = "%(refunded)s of your payment went back to you."
        buyer.looks_until_it_reads(told, refunded=buyer.amount(1200))
        buyer.sees("Your place is confirmed")
        buyer.examines()
