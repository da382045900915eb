"""The emulator's console as a person uses it: pages that are read and buttons that are pressed."""

from typing import Any

from django.test import Client, override_settings

from config import settings_emulator

SITE = {
    name: getattr(settings_emulator, name)
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME", "CSRF_TRUSTED_ORIGINS")
}


class Console:
    """Under the settings of the emulator's own process, inside the test's transaction."""

    def __init__(self, *, language: str = "en", **options: Any) -> None:
        self.client = Client(headers={"accept-language": language}, **options)

    def get(self, path: str = "/", **options: Any) -> Any:
        """The answer to a GET."""
        with override_settings(**SITE):
            return self.client.get(path, **options)

    def post(self, path: str, data: dict[str, str]) -> Any:
        """The answer to a POST; redirects are not followed."""
        with override_settings(**SITE):
            return self.client.post(path, data)

    def press(self, act: str, id: str = "", **given: str) -> str:
        """Press a button of the first page. Returns the page that follows, which shows what came of it."""
        do = f"{act} {id}".strip()
        answer = self.post("/act", {"do": do, "next": "/", **given})
        assert answer.status_code == 303, (do, answer.status_code)
        return self.read(answer["Location"])

    def read(self, path: str = "/") -> str:
        """The text of a page that is there."""
        answer = self.get(path.partition("#")[0])
        assert answer.status_code == 200, (path, answer.status_code)
        return str(answer.content.decode())
