import gettext
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from config.catalogues import compile_all, complaints, extract_all

PO = "locale/fr/LC_MESSAGES/django.po"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with texts in code and templates, and a French catalogue that nobody has begun."""
    write(tmp_path / "locale/fr/LC_MESSAGES/.keep", "")
    write(
        tmp_path / "shop/models.py",
        """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext

PLACE = _("place")
def rest(n): return ngettext("%(n)s place left", "%(n)s places left", n) % {"n": n}
MONTH = pgettext("abbreviation", "May")
""",
    )
    write(
        tmp_path / "shop/templates/shop/page.html",
        """
{% load i18n %}
<h1>{% translate "Welcome" %}</h1>
  {% blocktranslate with name=user.name trimmed %}
    Hello {{ name }}, 5 % off
  {% endblocktranslate %}
{{ _("Sign in")|title }}
""",
    )
    write(tmp_path / "tests/test_shop.py", '_("never shown")')
    return tmp_path


class TestExtractAll:
    def test_finds_texts_of_code_and_templates_but_not_of_tests(self, project):
        extract_all(project)

        found = (project / PO).read_text()
        for text in ("place", "%(n)s places left", "Welcome", "Hello %(name)s, 5 %% off", "Sign in"):
            assert f'"{text}"' in found
        assert 'msgctxt "abbreviation"' in found
        assert "never shown" not in found

    def test_keeps_translations_and_drops_what_is_no_longer_used(self, project):
        extract_all(project)
        translate(project, "Welcome", "Bienvenue")
        write(project / "shop/models.py", "")

        extract_all(project)

        assert "Bienvenue" in (project / PO).read_text()
        assert "places left" not in (project / PO).read_text()

    def test_changes_nothing_when_nothing_changed(self, project):
        extract_all(project)
        first = (project / PO).read_bytes()

        extract_all(project)

        assert (project / PO).read_bytes() == first


class TestCompileAll:
    def test_makes_what_gettext_reads(self, project):
        extract_all(project)
        translate(project, "Welcome", "Bienvenue")

        compile_all(project)

        french = gettext.translation("django", project / "locale", ["fr"])
        assert french.gettext("Welcome") == "Bienvenue"
        assert {path.suffix for path in (project / PO).parent.iterdir()} == {"", ".po", ".mo"}


class TestComplaints:
    def test_is_content_with_a_complete_catalogue(self, project):
        write(project / "shop/models.py", "")
        write(project / "shop/templates/shop/page.html", '{% translate "Welcome" %}')
        extract_all(project)
        translate(project, "Welcome", "Bienvenue")

        assert complaints(project) == []

    def test_names_missing_untranslated_fuzzy_and_obsolete_texts(self, project):
        extract_all(project)
        translate(project, "Welcome", "Bienvenue", flag="fuzzy")
        (project / PO).write_text((project / PO).read_text() + '\nmsgid "gone"\nmsgstr "parti"\n')
        write(project / "shop/new.py", '_("brand new")')

        told = complaints(project)

        assert f"{PO}: missing: 'brand new'" in told
        assert f"{PO}: obsolete: 'gone'" in told
        assert f"{PO}: fuzzy: 'Welcome'" in told
        assert f"{PO}: untranslated: abbreviation: 'May'" in told

    @pytest.mark.parametrize(("text", "translation"), [("Hi %(name)s", "Salut %(nom)s"), ("Hi {name}", "Salut {nom}")])
    def test_names_a_placeholder_that_nobody_will_fill(self, project, text, translation):
        write(project / "shop/models.py", f"_('{text}')")
        extract_all(project)
        translate(project, text, translation)

        assert f"{PO}: unknown named placeholder 'nom': '{text}'" in complaints(project)


def translate(project: Path, text: str, translation: str, flag: str = "") -> None:
    po = project / PO
    before = f'msgid "{text}"\nmsgstr ""'
    after = f'msgid "{text}"\nmsgstr "{translation}"'
    content = po.read_text()
    assert before in content
    po.write_text(content.replace(before, f"#, {flag}\n{after}" if flag else after))


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


class TestOwnCatalogue:
    def test_has_no_english_sentence_that_ends_with_a_time(self):
        """In English a time ends with a full stop of its own: "8:21 a.m."."""
        with (Path(__file__).parents[2] / PO).open("rb") as source:
            texts = [str(message.id) for message in read_po(source)]

        assert [text for text in texts if re.search(r"%\((time|moment)\)s\.($|\s)", text)] == []
