import re
from smtplib import SMTPRecipientsRefused

import pytest
from django.core.mail import EmailMultiAlternatives

from accounts.mails import MailUnavailable, build, send
from tests.support.mails import english_in, html_of, read

KINDS = ["account.confirm", "account.password", "account.none", "account.closed"]
LINK = "https://shop.example/account/password/MQ/a_secret_b/"
CONTEXT = {"link": LINK, "hours": 24}


def written(kind, language="en", **context):
    return build(kind, to="camille@example.com", language=language, context=CONTEXT | context)


class TestBuild:
    @pytest.mark.parametrize("is_signing_up", [True, False])
    @pytest.mark.parametrize("kind", KINDS)
    def test_is_french_throughout_for_who_reads_french(self, kind, is_signing_up):
        message = written(kind, "fr", is_signing_up=is_signing_up)

        words = " ".join([message.subject, *read(message)])
        assert '<html lang="fr">' in html_of(message)
        assert english_in(re.sub(r"http\S+", "", words)) == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_says_the_same_plain_and_in_html(self, kind, settings):
        settings.SITE_URL = "https://shop.example"
        message = written(kind)

        plain, html = read(message)

        assert html == f"{message.subject} {plain}"
        assert "shop.example" in plain

    @pytest.mark.parametrize("kind", ["account.confirm", "account.password", "account.none"])
    def test_has_the_link_once_in_the_text_and_as_a_link(self, kind):
        message = written(kind)

        assert message.body.count(LINK) == 1
        assert f'href="{LINK}"' in html_of(message)

    def test_is_one_that_no_machine_answers(self):
        assert written("account.confirm").extra_headers == {"Auto-Submitted": "auto-generated"}


class TestSend:
    @pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), SMTPRecipientsRefused({})])
    def test_says_when_the_server_does_not_take_it(self, monkeypatch, error):
        def fail(message):
            raise error

        monkeypatch.setattr(EmailMultiAlternatives, "send", fail)

        with pytest.raises(MailUnavailable, match=type(error).__name__):
            send("account.closed", to="camille@example.com", language="en", context={})
