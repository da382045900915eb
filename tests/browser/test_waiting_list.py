from tests.browser.buyer import let_time_pass


class TestWaitingList:
    def test_offers_the_place_that_somebody_did_not_pay_for(self, buyer, enter, make_activity):
        activity = make_activity(capacity=1)
        slow = enter()
        slow.goes_to_pay(activity)
        buyer.open("/")
        buyer.page.get_by_role("link", name=f"{buyer.words('Join the waiting list')} – {activity.title}").click()
        buyer.sees("All places are taken")
        buyer.examines()
        buyer.joins_the_waiting_list(activity)
        buyer.examines()

        let_time_pass("35m")
        slow.is_told("Your registration has expired: %(title)s", activity)
        [own_page] = buyer.is_offered_a_place(activity)

        buyer.open(own_page)
        buyer.sees("Your registration waits for your payment")
        buyer.examines()
        buyer.goes_on_to_pay(activity).pays()
        buyer.comes_back_confirmed()
        buyer.is_told("Your place is confirmed: %(title)s", activity)
