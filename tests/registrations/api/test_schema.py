from pathlib import Path

import pytest
import yaml

from config.api import schema_text

COMMITTED = Path(__file__).resolve().parents[3] / "docs/api/openapi.yaml"


class TestSchema:
    def test_is_the_committed_one(self):
        assert schema_text() == COMMITTED.read_bytes(), "To bring it up to date:  make api"

    @pytest.mark.parametrize("language", ["en", "fr"])
    def test_is_served_the_same_in_every_language(self, client, language):
        response = client.get("/api/schema/", HTTP_ACCEPT_LANGUAGE=language)

        assert response["Content-Type"].startswith("application/yaml")
        assert response.content == COMMITTED.read_bytes()

    def test_describes_every_address_of_the_api_and_no_other(self):
        assert sorted(yaml.safe_load(schema_text())["paths"]) == [
            "/api/activities/",
            "/api/activities/{slug}/",
            "/api/activities/{slug}/registrations/",
            "/api/admin/payments-dashboard",
            "/api/admin/users/{id}/payments",
            "/api/admin/users/{id}/sync",
            "/api/generate-module-token-webhook",
            "/api/me/modules/",
            "/api/me/subscription/",
            "/api/me/subscription/portal/",
            "/api/module-tokens/revoke",
            "/api/module-tokens/verify",
            "/api/plans/",
            "/api/registrations/{token}/",
            "/api/registrations/{token}/checkout/",
        ]
