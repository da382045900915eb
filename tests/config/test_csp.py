import pytest
from django.http import HttpResponse

from config.middleware import CONTENT_SECURITY_POLICY, ContentSecurityPolicyMiddleware, let_forms_lead_to

pytestmark = pytest.mark.django_db


class TestContentSecurityPolicy:
    @pytest.mark.parametrize("address", ["/", "/nowhere", "/admin/login/", "/healthz/live"])
    def test_is_on_every_page(self, client, address):
        policy = client.get(address)[CONTENT_SECURITY_POLICY]

        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy

    def test_is_on_the_answer_to_a_host_that_is_not_ours(self, client):
        response = client.get("/", HTTP_HOST="evil.example")

        assert (response.status_code, CONTENT_SECURITY_POLICY in response) == (400, True)

    @pytest.mark.parametrize(
        ("base", "origins"),
        [
            ("", "'self' https://checkout.stripe.com https://billing.stripe.com;"),
            ("http://10.0.0.5:8001/x", "'self' http://10.0.0.5:8001 http://127.0.0.1:8001;"),
            ("http://127.0.0.1:8001", "'self' http://127.0.0.1:8001;"),
        ],
    )
    def test_lets_forms_lead_to_stripes_pages_and_nowhere_else(self, settings, rf, base, origins):
        settings.STRIPE_API_BASE, settings.STRIPE_EMULATOR_URL = base, "http://127.0.0.1:8001"

        response = ContentSecurityPolicyMiddleware(lambda _request: _answer())(rf.get("/"))

        assert f"form-action {origins}" in response[CONTENT_SECURITY_POLICY]

    def test_leaves_a_stricter_one_alone(self, rf):
        response = ContentSecurityPolicyMiddleware(
            lambda _request: _answer(**{CONTENT_SECURITY_POLICY: "default-src 'none'"})
        )(rf.get("/"))

        assert response[CONTENT_SECURITY_POLICY] == "default-src 'none'"


class TestLetFormsLeadTo:
    def test_adds_origins_for_one_page_and_nothing_else(self, settings, rf):
        settings.STRIPE_API_BASE = ""
        page, other = _answer(), _answer()
        let_forms_lead_to(page, ["https://b.example", "https://a.example", "https://b.example"])

        usual = ContentSecurityPolicyMiddleware(lambda _request: other)(rf.get("/"))[CONTENT_SECURITY_POLICY]
        policy = ContentSecurityPolicyMiddleware(lambda _request: page)(rf.get("/"))[CONTENT_SECURITY_POLICY]

        assert "https://billing.stripe.com https://a.example https://b.example;" in policy
        assert policy.replace(" https://a.example https://b.example", "") == usual


def _answer(**headers):
    return HttpResponse(headers=headers)
