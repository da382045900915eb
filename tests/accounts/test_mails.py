import re
from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail as post
from django.core.mail import EmailMultiAlternatives

from accounts.mails import (
    MAIL_COUNT_WINDOW,
    MAX_MAILS_PER_WINDOW,
    MailUnavailable,
    build,
    link_tokens,
    password_url,
    send,
    write_link,
)
from config.logs import MASK, redact_text
from tests.support.factories import NOON
from tests.support.mails import english_in, html_of, read, sent

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

        button = "Create an account" if kind == "account.none" else "Choose my password"
        assert html == f"{message.subject} {plain.replace(LINK, button)}"
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


@pytest.mark.django_db
class TestLinkTokens:
    def test_is_good_for_whom_it_was_made(self, begun, camille):
        token = link_tokens.make_token(begun)

        assert link_tokens.check_token(begun, token)
        assert not link_tokens.check_token(camille, token)

    @pytest.mark.parametrize(
        "change",
        [
            {"password": "!another"},
            {"email": "moved@example.com"},
            {"last_login": NOON},
            {"email_confirmed_at": NOON},
            {"is_active": False},
        ],
    )
    def test_is_spent_when_the_account_has_moved_on(self, begun, change):
        token = link_tokens.make_token(begun)
        for name, value in change.items():
            setattr(begun, name, value)

        assert not link_tokens.check_token(begun, token)

    @pytest.mark.parametrize("token", ["", None, "x", "_secret_", "-", "é_secret_é"])
    def test_is_nothing_else(self, begun, token):
        assert not link_tokens.check_token(begun, token)

    def test_ends_after_24_hours(self, begun, time_machine):
        token = link_tokens.make_token(begun)
        time_machine.move_to(NOON + timedelta(hours=24, seconds=1))

        assert not link_tokens.check_token(begun, token)

    def test_is_masked_wherever_its_address_is_logged(self, begun):
        url = password_url(begun)
        code = url.split("_secret_")[1].strip("/")

        masked = redact_text(f"Internal Server Error: {url}")

        assert MASK in masked
        assert code not in masked


def written_to(email, *, at=NOON, **options):
    write_link(email=email, language="en", at=at, **options)


@pytest.mark.django_db
class TestWriteLink:
    @pytest.mark.parametrize(
        ("email", "words", "has_link"),
        [
            ("begun@example.com", "choose a password", True),
            ("camille@example.com", "asked to choose a new password", True),
            ("closed@example.com", "It is closed", False),
            ("nobody@example.com", "but there is none", False),
        ],
    )
    @pytest.mark.usefixtures("camille", "begun", "closed")
    def test_tells_only_the_mailbox_what_there_is(self, email, words, has_link):
        written_to(email)

        assert words in sent().body
        assert ("/account/password/" in sent().body) is has_link

    def test_tells_who_signs_up_again_that_there_is_an_account(self, camille):
        written_to(camille.email, is_signing_up=True)

        assert "You have one already" in sent().body

    def test_writes_in_the_language_of_the_person(self, camille):
        camille.language = "fr"
        camille.save()

        written_to(camille.email)

        assert sent().subject != "Choose a new password"

    def test_floods_nobody_however_many_clients_ask(self, camille):
        for _ in range(MAX_MAILS_PER_WINDOW + 3):
            written_to(camille.email)

        assert len(post.outbox) == MAX_MAILS_PER_WINDOW
        written_to("other@example.com")
        written_to(camille.email, at=NOON + MAIL_COUNT_WINDOW + timedelta(seconds=1))
        assert [message.to for message in post.outbox[MAX_MAILS_PER_WINDOW:]] == [
            ["other@example.com"],
            [camille.email],
        ]

    def test_writes_all_the_same_when_nothing_can_be_counted(self, camille, settings, caplog):
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        written_to(camille.email)

        assert sent().to == [camille.email]
        assert "account.counters_down" in caplog.text

    def test_keeps_the_link_out_of_logs(self, camille, caplog):
        caplog.set_level("DEBUG")

        written_to(camille.email)

        code = sent().body.split("_secret_")[1].split("/")[0]
        assert "account.link_sent" in caplog.text
        assert code not in caplog.text
        assert camille.email not in caplog.text
