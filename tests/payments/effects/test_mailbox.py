from email import message_from_bytes, policy

from django.core.mail import EmailMessage


class TestEmailBackend:
    def test_writes_each_mail_into_a_file_of_its_own_that_mail_programs_open(self, settings, tmp_path):
        settings.EMAIL_BACKEND = "payments.effects.mail.EmailBackend"
        settings.EMAIL_FILE_PATH = str(tmp_path / "mails")

        for number in range(50):
            EmailMessage(f"Numéro {number}", "Bonjour", "a@example.com", ["b@example.com"]).send()

        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in tmp_path.glob("mails/*.eml")]
        assert sorted(mail["Subject"] for mail in mails) == sorted(f"Numéro {number}" for number in range(50))

    def test_names_the_file_by_the_effect(self, settings, tmp_path):
        settings.EMAIL_BACKEND = "payments.effects.mail.EmailBackend"
        settings.EMAIL_FILE_PATH = str(tmp_path)
        key = "registration.failed:7:ch_1/../../x"

        EmailMessage("Hi", "Bonjour", "a@example.com", ["b@example.com"], headers={"X-Effect-Key": key}).send()

        (path,) = tmp_path.iterdir()
        assert "-registration-failed-7-ch_1-x-" in path.name
