"""The map (docs/architecture.md) names nothing that is not there."""

import re

from tests.architecture.trip import PRODUCT, ROOT

MAP = (ROOT / "docs/architecture.md").read_text()
NAMES = re.findall(r"`([^`\n]+)`", MAP)
PATHS = [name for name in NAMES if re.fullmatch(r"[\w/.]+/[\w/.]+|[\w.]+\.toml", name)]
WORDS = sorted({word for name in NAMES if name not in PATHS for word in re.findall(r"[A-Za-z_]{4,}", name)})


def test_leads_to_files_and_rooms_that_exist():
    missing = [path for path in PATHS if not (ROOT / path).exists()]

    assert len(PATHS) > 60
    assert missing == []


def test_leads_along_links_that_exist():
    links = re.findall(r"\]\(([^)]+)\)", MAP)

    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_uses_words_that_stand_in_the_code():
    files = [ROOT / "pyproject.toml", *(path for room in PRODUCT for path in (ROOT / room).rglob("*.py"))]
    known = {word for path in files for word in re.findall(r"\w+", path.read_text())}

    assert len(WORDS) > 40
    assert [word for word in WORDS if word not in known] == []


def test_says_how_long_the_ways_are():
    """The numbers in it are those that the tests of the ways allow, or less."""
    trips = (ROOT / "tests/architecture/test_trips.py").read_text()
    allowed = [int(number) for number in re.findall(r"assert_short\(trip, (\d+)\)", trips)]

    told = [int(number) for number in re.findall(r"\((\d+) files\)", MAP)]

    assert len(told) == len(allowed)
    assert all(number <= most for number, most in zip(told, allowed, strict=True))
