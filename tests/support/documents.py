"""The documents as a reader has them: headings, links, and blocks of commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(.*)$")
# What a shell block is called; further words tell what it is not for: docs/../CONTRIBUTING.md, “Commands in documents”.
SHELLS = ("sh", "console")
ON_A_HOST = "host"
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^()\s]+)\)")
CODE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a block: `text` as a shell would have it, perhaps over several lines, without its comment."""

    text: str
    comment: str
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block that a shell understands. `line`: of its first command, from 1."""

    path: Path
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def is_run(self) -> bool:
        """Whether it works anywhere: the others need Docker, a machine of their own, or never end."""
        return ON_A_HOST not in self.words

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[Command]:
        """In their order. A line that ends with a backslash, or within quotation marks, goes on in the next one."""
        found: list[Command] = []
        begun: list[str] = []
        for number, line in enumerate(self._lines(), self.line):
            begun.append(line)
            text = "\n".join(begun)
            if line.endswith("\\") or not _is_whole(text):
                continue
            begun = []
            if shlex.split(text, comments=True):
                found.append(_command(text, line=number - text.count("\n")))
        assert not begun, f"{self.place} ends within a command"
        return found

    def _lines(self) -> Iterator[str]:
        for line in self.text.splitlines():
            if self.words[0] == "console":
                yield line.removeprefix("$ ") if line.startswith("$ ") else ""
            else:
                yield line


def _is_whole(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def _command(text: str, *, line: int) -> Command:
    """A comment begins after white space, outside of quotation marks."""
    for found in re.finditer(r"\s#\s", text):
        before = text[: found.start()]
        if _is_whole(before):
            return Command(before.rstrip(), text[found.end() :].strip(), line)
    return Command(text.strip(), "", line)


def documents() -> list[Path]:
    """What is written for readers, in both languages."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def in_english(french: Path) -> Path:
    """The document of which this one is the French version."""
    return french.with_name(french.name.replace(".fr.md", ".md"))


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a document that a shell understands."""
    found, opened, lines = [], None, path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if not (fence := FENCE.match(line)):
            continue
        if opened is None:
            opened = number, tuple(fence[1].split())
            continue
        first, words = opened
        if words and words[0] in SHELLS:
            found.append(Block(path, first + 1, words, "\n".join(lines[first : number - 1])))
        opened = None
    assert opened is None, f"{path}: a block is not closed"
    return found


def prose(path: Path) -> str:
    """The document without its blocks."""
    kept, is_code = [], False
    for line in path.read_text().splitlines():
        if FENCE.match(line):
            is_code = not is_code
        elif not is_code:
            kept.append(line)
    return "\n".join(kept)


def anchors(path: Path) -> set[str]:
    """What a link to one of its headings may end with, as GitHub makes it."""
    found: set[str] = set()
    for heading in HEADING.findall(prose(path)):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower())
        anchor, number = words.replace(" ", "-"), 1
        while anchor in found:
            anchor, number = f"{words.replace(' ', '-')}-{number}", number + 1
        found.add(anchor)
    return found


def links(path: Path) -> list[str]:
    """Where it leads to, but for the addresses of other sites."""
    targets = LINK.findall(CODE.sub("", prose(path)))
    return [target for target in targets if "://" not in target and not target.startswith("mailto:")]
