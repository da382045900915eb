"""`python -m config.catalogues extract|compile|check`: gettext catalogues without the gettext programs."""

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = Path("LC_MESSAGES/django.po")
# Without texts that people see; migrations repeat those of the models.
LEFT_OUT = {"benchmarks", "docs", "locale", "migrations", "node_modules", "tests", "var"}
BRACES = re.compile(r"\{(\w*)\}")
CONTEXT = ((1, "c"), 2)
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": CONTEXT,
    "npgettext_lazy": (*CONTEXT, 3),
}


def extract_all(root: Path = ROOT) -> None:
    """Bring every catalogue up to date: new texts wait for their translation, those no longer used go."""
    used = used_texts(root)
    for po in catalogues(root):
        catalogue = load(po) if po.exists() else Catalog(locale=po.parts[-3], fuzzy=False, header_comment="#")
        catalogue.update(used, no_fuzzy_matching=True, update_creation_date=False)
        po.parent.mkdir(parents=True, exist_ok=True)
        with po.open("wb") as file:
            write_po(file, catalogue, ignore_obsolete=True, include_lineno=False, sort_by_file=True, width=110)


def compile_all(root: Path = ROOT) -> None:
    """Make the binary catalogues that Django reads; a running server never sees half a file."""
    for po in filter(_is_stale, catalogues(root)):
        compiled = io.BytesIO()
        write_mo(compiled, load(po))
        unfinished = po.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(compiled.getvalue())
        unfinished.replace(po.with_suffix(".mo"))


def _is_stale(po: Path) -> bool:
    """Whether there is something to compile: the binary catalogue is missing or older."""
    compiled = po.with_suffix(".mo")
    return po.exists() and not (compiled.exists() and compiled.stat().st_mtime_ns > po.stat().st_mtime_ns)


def complaints(root: Path = ROOT) -> list[str]:
    """What keeps the catalogues from being complete, one line each."""
    used = used_texts(root)
    return [
        f"{po.relative_to(root)}: {problem}"
        for po in catalogues(root)
        for problem in _problems(load(po) if po.exists() else Catalog(locale=po.parts[-3]), used)
    ]


def catalogues(root: Path) -> list[Path]:
    """The .po file of every language that has a directory below `locale`."""
    return [language / DOMAIN for language in sorted((root / "locale").iterdir()) if language.is_dir()]


def load(po: Path) -> Catalog:
    """The catalogue in the file."""
    with po.open("rb") as file:
        return read_po(file, locale=po.parts[-3], domain="django")


def used_texts(root: Path) -> Catalog:
    """Every text in the code and the templates that is marked for translation."""
    used = Catalog(fuzzy=False)
    for path in sorted(_sources(root)):
        code = path.read_text()
        if path.suffix != ".py":
            # What Django writes for xgettext is Python but for its indentation.
            code = re.sub(r"^[ \t]+", "", templatize(code, origin=str(path)), flags=re.MULTILINE)
        found = extract("python", io.BytesIO(code.encode()), KEYWORDS, ["Translators:"], {"encoding": "utf-8"})
        for line, text, comments, context in found:
            used.add(text, locations=[(str(path.relative_to(root)), line)], auto_comments=comments, context=context)
    return used


def _sources(root: Path) -> Iterator[Path]:
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in LEFT_OUT and not name.startswith(".")]
        in_templates = "templates" in Path(folder).relative_to(root).parts
        for name in files:
            if name.endswith(".py") or (in_templates and name.endswith((".html", ".txt", ".xml"))):
                yield Path(folder, name)


def _problems(catalogue: Catalog, used: Catalog) -> Iterator[str]:
    wanted, known = _by_text(used), _by_text(catalogue)
    for text in sorted(wanted.keys() - known.keys()):
        yield f"missing: {text}"
    for text in sorted(known.keys() - wanted.keys()):
        yield f"obsolete: {text}"
    for text in sorted(wanted.keys() & known.keys()):
        if known[text].fuzzy:
            yield f"fuzzy: {text}"
        elif not all(_translations(known[text])):
            yield f"untranslated: {text}"
        for mistake in (*known[text].check(catalogue), *_strange_names(known[text])):
            yield f"{mistake}: {text}"
    for forgotten in catalogue.obsolete.values():
        yield f"obsolete: {forgotten.id}"


def _strange_names(message: Message) -> list[str]:
    """Names in {braces} that only the translation has: formatting it would fail. Babel looks at %(these)s."""
    strange = set(BRACES.findall(" ".join(_translations(message)))) - set(BRACES.findall(str(message.id)))
    return [f"unknown named placeholder {name!r}" for name in sorted(strange)]


def _by_text(catalogue: Catalog) -> dict[str, Message]:
    """Messages by what a reader would call them; the header, which has no text, left out."""
    return {_name(message): message for message in catalogue if message.id}


def _name(message: Message) -> str:
    text = message.id if isinstance(message.id, str) else " | ".join(message.id)
    return f"{message.context}: {text!r}" if message.context else repr(text)


def _translations(message: Message) -> tuple[str, ...] | list[str]:
    return message.string if isinstance(message.string, tuple | list) else [message.string or ""]


def main(arguments: list[str]) -> int:
    """Do what the first argument says; 1 if a catalogue is not complete."""
    match arguments:
        case ["extract"]:
            extract_all()
        case ["compile"]:
            compile_all()
        case ["check"]:
            found = complaints()
            print("\n".join(found) or "Catalogues are complete.")
            return int(bool(found))
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
