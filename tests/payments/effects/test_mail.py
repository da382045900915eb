from datetime import timedelta

import pytest
from django.core import mail as post
from django.db import transaction

from payments.effects.deliver import CUT_OFF, Skip, deliver_due
from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.mail import NO_ADDRESS, Mail, build, mails, one_line, without_links
from payments.effects.models import Effect
from payments.orders.models import OrderException
from payments.statuses import EffectStatus
from tests.support.factories import NOON
from tests.support.processes import free_port
from tests.support.smtp import running_mail_server

KIND = "letter"
TEMPLATES = {
    "email/letter.subject.txt": "Hello\n  {{ name }} ",
    "email/letter.txt": "\n{% load i18n %}{% translate 'Canceled' %}\n\n \n\nFor {{ name }}\n\n",
    "email/letter.html": "<title>{{ subject }}</title><p>For {{ name }}</p>",
}


@pytest.fixture
def letters(settings):
    """Templates of a kind that only exists here."""
    loader = ("django.template.loaders.locmem.Loader", TEMPLATES)
    settings.TEMPLATES = [
        {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": [loader]}}
    ]


@pytest.fixture
def deliver_letter(letters, kinds, db):
    """Writes, notes and delivers one letter; returns its effect as it is afterwards."""

    def deliver(answer=None):
        mails(KIND)(lambda effect: answer or Mail(to=("a@example.com",), language="en", context={"name": "Ann"}))
        with transaction.atomic():
            enqueue([EffectRequest("letter:1", KIND, None)], at=NOON)
        deliver_due(at=NOON)
        return Effect.objects.get()

    return deliver


@pytest.fixture
def smtp(settings):
    """Mails go to a server that listens at this port."""

    def use(port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5

    return use


@pytest.mark.usefixtures("letters")
class TestBuild:
    def write(self, *, name="Ann", language="en", key="letter:1", **context):
        mail = Mail(to=("a@example.com",), language=language, context={"name": name, **context})
        return build(mail, kind=KIND, key=key)

    def test_has_a_subject_on_one_line_a_plain_and_an_html_part(self, settings):
        message = self.write()

        html, kind = message.alternatives[0]
        assert (message.subject, message.to) == ("Hello Ann", ["a@example.com"])
        assert message.from_email == settings.DEFAULT_FROM_EMAIL
        assert message.body == "Canceled\n\nFor Ann\n"
        assert (html, kind) == ("<title>Hello Ann</title><p>For Ann</p>", "text/html")

    def test_names_the_effect_and_asks_machines_not_to_answer(self):
        headers = self.write(key="letter:7").message()

        assert headers["X-Effect-Key"] == "letter:7"
        assert headers["Auto-Submitted"] == "auto-generated"

    def test_speaks_the_readers_language_and_the_sites_where_there_is_none(self):
        assert "Canceled" in self.write(language="en").body
        assert "Annulé" in self.write(language="fr").body
        assert "Annulé" in self.write(language="").body

    def test_escapes_names_in_html_only(self):
        message = self.write(name="O'Neil & <b>")

        assert "For O'Neil & <b>" in message.body
        assert "For O&#x27;Neil &amp; &lt;b&gt;" in message.alternatives[0][0]

    @pytest.mark.parametrize(
        "name", ["Ann\r\nBcc: all@example.com", "Ann\nBcc: all@example.com", "Ann\u2028Bcc: x@y.fr"]
    )
    def test_lets_no_name_add_a_header(self, name):
        message = self.write(name=name, key=f"letter:{name}").message()

        assert message["Bcc"] is None
        assert message["Subject"].startswith("Hello Ann Bcc:")
        assert message["X-Effect-Key"].startswith("letter:Ann Bcc:")


class TestWithoutLinks:
    @pytest.mark.parametrize("rest", ["/r/tok:en", "?token=tok", "#tok", "/r/tok?x=1#y", "/r/tok).", ":8000/r/tok"])
    @pytest.mark.parametrize("scheme", ["https", "http", "HTTPS"])
    def test_keeps_the_site_and_nothing_of_what_opens_a_page(self, scheme, rest):
        told = without_links(f"Open {scheme}://shop.example{rest} now")

        assert "tok" not in told
        assert told.startswith(f"Open {scheme}://shop.example")
        assert told.endswith("… now")

    def test_leaves_what_is_no_link(self):
        assert without_links("12/7, and/or shop.example") == "12/7, and/or shop.example"


class TestOneLine:
    @pytest.mark.parametrize("odd", ["\r\n", "\n", "\0", "\x0b", "\x1b", "\u2028", "\u2029", "\x85", " \t "])
    def test_turns_breaks_and_control_characters_into_one_space(self, odd):
        assert one_line(f" Ann{odd}Lee ") == "Ann Lee"

    def test_leaves_every_other_letter(self):
        assert one_line("Zoë Müller 李 👩‍🚀") == "Zoë Müller 李 👩‍🚀"

    def test_keeps_french_punctuation_on_its_line(self):
        assert one_line("confirmée\N{NO-BREAK SPACE}: poterie") == "confirmée\N{NO-BREAK SPACE}: poterie"


class TestMails:
    def test_sends_what_the_function_writes(self, deliver_letter):
        effect = deliver_letter()

        assert effect.status == EffectStatus.DONE
        assert [message.subject for message in post.outbox] == ["Hello Ann"]
        assert effect.sent == {"to": ["a@example.com"], "subject": "Hello Ann", "text": "Canceled\n\nFor Ann\n"}

    def test_sends_nothing_when_the_function_says_skip(self, deliver_letter):
        effect = deliver_letter(Skip("Too late."))

        assert (effect.status, effect.outcome, post.outbox) == (EffectStatus.SKIPPED, "Too late.", [])
        assert effect.sent is None

    def test_waits_for_an_address_where_none_is_known(self, deliver_letter):
        effect = deliver_letter(Mail(to=(), language="en"))

        assert (effect.status, effect.outcome, post.outbox) == (EffectStatus.PENDING, f"Refused: {NO_ADDRESS}", [])
        assert OrderException.objects.get().kind == "NOT_DELIVERED"


class TestSend:
    def test_hands_the_message_to_the_server(self, deliver_letter, smtp):
        with running_mail_server() as server:
            smtp(server.port)

            effect = deliver_letter()

        assert effect.status == EffectStatus.DONE
        assert len(server.received) == 1
        assert "X-Effect-Key: letter:1" in server.received[0]

    def test_is_tried_again_when_the_server_refuses_then_succeeds(self, deliver_letter, smtp):
        with running_mail_server(refuses=True) as server:
            smtp(server.port)
            effect = deliver_letter()
        assert (effect.status, effect.not_before) == (EffectStatus.PENDING, NOON + timedelta(seconds=30))
        assert "550" in effect.outcome
        assert server.received == []

        with running_mail_server() as server:
            smtp(server.port)
            deliver_due(at=NOON + timedelta(seconds=30))

        assert Effect.objects.get().status == EffectStatus.DONE
        assert len(server.received) == 1

    def test_is_tried_again_when_nobody_listens(self, deliver_letter, smtp):
        smtp(free_port())

        effect = deliver_letter()

        assert effect.status == EffectStatus.PENDING
        assert "ConnectionRefusedError" in effect.outcome

    def test_is_uncertain_when_the_server_hangs_up_after_the_message(self, deliver_letter, smtp):
        with running_mail_server(hangs_up=True) as server:
            smtp(server.port)

            effect = deliver_letter()

        assert len(server.received) == 1
        assert (effect.status, effect.outcome) == (EffectStatus.UNCERTAIN, CUT_OFF)
