import pytest

from payments.admin.kit.display import dashboard_address, pretty, stripe_id


class TestPretty:
    def test_escapes_every_value(self):
        assert pretty({"é": "<i>"}) == "<pre>{\n  &quot;é&quot;: &quot;&lt;i&gt;&quot;\n}</pre>"


class TestDashboardAddress:
    @pytest.mark.parametrize(
        ("name", "place"),
        [
            ("pi_1", "payments/pi_1"),
            ("sub_1", "subscriptions/sub_1"),
            ("evt_1", "events/evt_1"),
            ("re_1", "search?query=re_1"),
            ("cs_test_1", "search?query=cs_test_1"),
        ],
    )
    def test_is_the_page_of_the_object_or_the_search_for_it(self, name, place):
        assert dashboard_address(name, livemode=True) == f"https://dashboard.stripe.com/{place}"
        assert dashboard_address(name, livemode=False) == f"https://dashboard.stripe.com/test/{place}"


class TestStripeId:
    @pytest.fixture(autouse=True)
    def live_site(self, settings):
        settings.STRIPE_API_BASE, settings.STRIPE_LIVEMODE = "", True

    def test_leads_to_the_dashboard_of_this_site(self):
        assert 'href="https://dashboard.stripe.com/payments/pi_1"' in stripe_id("pi_1")

    def test_leads_to_test_data_where_the_object_is_of_test_mode(self):
        assert 'href="https://dashboard.stripe.com/test/payments/pi_1"' in stripe_id("pi_1", livemode=False)

    @pytest.mark.parametrize(("name", "place"), [("pi_1", "objects/pi_1"), ("evt_1", "events/evt_1")])
    def test_leads_to_the_console_of_what_stands_in_for_stripe(self, settings, name, place):
        settings.STRIPE_API_BASE = settings.STRIPE_EMULATOR_URL = "http://localhost:12111"

        assert f'href="http://localhost:12111/{place}"' in stripe_id(name)

    def test_stands_alone_so_that_one_click_selects_it(self):
        assert "<code>pi_1</code>" in stripe_id("pi_1")

    def test_is_escaped(self):
        assert "<b>" not in stripe_id("<b>")

    def test_is_a_dash_where_there_is_none(self):
        assert stripe_id("") == "–"
