"""The documents lead somewhere, name what there is, and say the same in both languages."""

import re
import subprocess
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator

import pytest
from django.core.management import get_commands, load_command_class

from tests.support.documents import ROOT, Block, anchors, blocks, documents, in_english, links

DOCUMENTS = documents()
BLOCKS = [block for path in DOCUMENTS for block in blocks(path)]
FRENCH = [path for path in DOCUMENTS if path.name.endswith(".fr.md")]
MANAGE = re.compile(r"\bmanage\.py ([a-z_]+)([^|;>)\n]*)")
MAKE = re.compile(r"^(?:\w+=\S+ )*make((?: [a-z-]+(?!=))+)", re.MULTILINE)
OPTION = re.compile(r"(?<=\s)--[a-z][a-z-]*")


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_leads_to_what_is_there(path):
    lost = []
    for link in links(path):
        target, _hash, anchor = link.partition("#")
        other = (path.parent / target).resolve() if target else path
        if not other.exists() or (anchor and anchor not in anchors(other)):
            lost.append(link)

    assert lost == []


@pytest.mark.parametrize("path", [path for path in FRENCH if path.stem != "events.fr"], ids=name)
def test_has_the_commands_of_its_english_version_in_their_order(path):
    assert what_is_typed(path) == what_is_typed(in_english(path))


def what_is_typed(path):
    """Without the comments, which each language has in its own words."""
    return [(block.words, [command.text for command in block.commands()]) for block in blocks(path)]


def test_has_blocks_that_a_shell_can_read():
    for block in BLOCKS:
        read = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)

        assert (read.returncode, read.stderr) == (0, ""), f"{block.place}: {read.stderr}"


def test_names_commands_and_options_that_there_are():
    wrong = [f"{block.place}: {told}" for block in BLOCKS for told in unknown_words(block)]

    assert len(BLOCKS) > 30
    assert wrong == []


def unknown_words(block: Block) -> Iterator[str]:
    for command in block.commands():
        for called, rest in MANAGE.findall(command.text.replace("\\\n", " ")):
            if called not in get_commands():
                yield called
                continue
            parser = load_command_class(get_commands()[called], called).create_parser("manage.py", called)
            yield from (f"{called} {option}" for option in OPTION.findall(rest) if option not in options_of(parser))
        for targets in MAKE.findall(command.text):
            yield from (f"make {target}" for target in targets.split() if target not in make_targets())


def options_of(parser: ArgumentParser) -> set[str]:
    """Of the command and of what it is told to do."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for each in action.choices.values():
                found |= options_of(each)
    return found


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
