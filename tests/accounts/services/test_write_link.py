from datetime import timedelta

import pytest
from django.core import mail as post

from accounts.services.write_link import MOST_MAILS, WINDOW, write_link
from tests.support.factories import NOON
from tests.support.mails import sent

pytestmark = pytest.mark.django_db


def written_to(email, *, at=NOON, **options):
    write_link(email=email, language="en", at=at, **options)


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
        for _ in range(MOST_MAILS + 3):
            written_to(camille.email)

        assert len(post.outbox) == MOST_MAILS
        written_to("other@example.com")
        written_to(camille.email, at=NOON + WINDOW + timedelta(seconds=1))
        assert [message.to for message in post.outbox[MOST_MAILS:]] == [["other@example.com"], [camille.email]]

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
