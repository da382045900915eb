"""No page of staff is half in English: what is read in French says nothing for which the catalogue has French words."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.staff_site import PAGES, Job
from tests.support.mails import english_in
from tests.support.pages import text_of

# What is quoted: payloads, ids, commands, addresses, and the words of Stripe and of programs ("refund.created").
QUOTED = re.compile(r"<(pre|code)\b.*?</\1>", re.DOTALL)
NAMES = re.compile(r"\S+[@._/:]\S+|“[^”]*”|« [^»]* »")
# French as well, or what the rows of the test are called.
FRENCH_TOO = {"Source", "Person", "staff"}
# Technical tables show values as they are stored; a form of rights those of the emulator's tables too.
LEFT_OUT = {"accounts.user", "auth.group"}
SCREENS = sorted(
    (model for model, screen in admin.site._registry.items() if getattr(screen, "job", None) is not Job.TECHNICAL),
    key=lambda model: model._meta.label_lower,
)


def english_words(page, address):
    response = page.get(address, headers={"accept-language": "fr"})
    response.content = QUOTED.sub(" ", response.content.decode().replace("<wbr>", "")).encode()
    found = english_in(NAMES.sub(" ", text_of(response)))
    return [f"{address}: {words}" for words in found if words not in FRENCH_TOO]


@pytest.mark.usefixtures("everything")
class TestFrench:
    def test_is_every_list_and_every_row(self, page):
        found = []
        for model in SCREENS:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            found += english_words(page, reverse(f"{name}_changelist"))
            row = model._default_manager.first()
            if row and model._meta.label_lower not in LEFT_OUT:
                found += english_words(page, reverse(f"{name}_change", args=[row.pk]))

        assert found == []

    def test_is_every_page_of_our_own(self, page):
        addresses = [reverse(f"admin:{each.name}") for each in PAGES if "<" not in each.route]
        addresses += [f"{reverse('admin:diagnose')}?q={text}" for text in ("O-000001", "ada@example.com")]

        assert [words for address in addresses for words in english_words(page, address)] == []
