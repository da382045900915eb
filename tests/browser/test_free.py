from registrations.models import Activity


class TestFreeActivity:
    def test_gives_the_place_by_the_link_in_a_mail_and_asks_for_no_money(self, buyer, make_activity):
        activity = make_activity(price=0)
        buyer.fills_in(activity)
        buyer.examines()

        buyer.press("Register")
        buyer.sees("Please confirm your e-mail address")
        buyer.examines()
        [link] = buyer.is_told("Please confirm your registration: %(title)s", activity)
        buyer.open(link)
        buyer.examines()
        buyer.press("Confirm my place")

        buyer.sees("Your place is confirmed")
        buyer.examines()
        assert buyer.link("Receipt for your payment").count() == 0
        assert buyer.is_told("Your place is confirmed: %(title)s", activity) == [buyer.page.url]

    def test_that_is_full_offers_a_place_that_is_taken_with_one_button(self, buyer, make_activity):
        activity = make_activity(price=0, capacity=0)
        buyer.joins_the_waiting_list(activity)
        Activity.objects.filter(pk=activity.pk).update(capacity=1)
        [own_page] = buyer.is_offered_a_place(activity)

        buyer.open(own_page)
        buyer.press("Take the place")

        buyer.sees("Your place is confirmed")
