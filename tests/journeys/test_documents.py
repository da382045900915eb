"""Every command of the documents is run on one site, in the order in which a reader meets it."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from payments.stripe_api.lookups import ThrottledStripe
from tests.support.documents import ROOT, Command, blocks, documents
from tests.support.examples import Examples, make_examples
from tests.support.site import running_site

MANAGE = "manage.py"
STATUS = re.compile(r"\b([1-5]\d\d)\b")
# What is rightly refused where the documents stand one after another on one site: the words of the refusal.
REFUSED = {
    'incident close --reason "repaired" --yes': "No incident is open.",
    "person erase ada@example.com --": "ubscription",
    "replay_events --type": "There are no such events.",
    "replay_events --status PROCESSED": "There are no such events.",
    "restore_state FILE": "The database is not empty",
    "stripe_emulator resend evt_": "of the last 30 days",
    "stripe_webhooks rotate --secret-file": "is taking the place of another already",
    "stripe_webhooks rotate --finish": "nothing has come with its secret",
}


class Yes(StringIO):
    """A terminal at which somebody agrees to everything."""

    def isatty(self) -> bool:
        return True

    def readline(self, *_args: object) -> str:  # type: ignore[override]
        return "yes\n"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_command_does_what_it_is_there_for(tmp_path, monkeypatch):
    """Of what French documents say another test compares each command with the English version."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("sys.stdin", Yes())
    # The emulator has no limit: so many calls as it can answer.
    monkeypatch.setitem(ThrottledStripe.__init__.__kwdefaults__, "calls_per_second", 1000.0)
    with running_site(tmp_path) as site:
        examples = make_examples(site, tmp_path)
        told = {place: run(command, examples) for place, command in runnable()}
    wrong = [f"{place}: {trouble}" for place, trouble in told.items() if trouble]
    assert not wrong, "\n".join(wrong)


def runnable() -> Iterator[tuple[str, Command]]:
    """Each command once, where it is met first."""
    known: set[str] = set()
    for path in documents():
        if path.name.endswith(".fr.md"):
            continue
        for block in blocks(path):
            for command in block.commands() if block.is_run else []:
                if command.text not in known:
                    yield f"{path.relative_to(ROOT)}:{command.line} {command.text}", command
                known.add(command.text)


def run(command: Command, examples: Examples) -> str:
    """What is wrong with it; "" for nothing."""
    examples.fail_again()
    text = examples.put_into(command.text)
    words = shlex.split(text)
    if words[0] == "curl":
        return run_curl(text, command.comment, examples)
    if MANAGE in words[:2]:
        return run_manage(words[words.index(MANAGE) + 1 :], written=command.text.partition(f"{MANAGE} ")[2])
    return "this test cannot run it: mark the block as `sh host`"


def run_manage(words: list[str], *, written: str) -> str:
    """Exit code 1 means that something was found; a refusal says that nothing was done, and must be expected."""
    if ">" in words:
        words = words[: words.index(">")]
    expected = next((said for name, said in REFUSED.items() if written.startswith(name)), None)
    try:
        call_command(*words, stdout=StringIO(), stderr=StringIO())
    except SystemExit as end:
        return "" if end.code in (0, 1) else f"exit code {end.code}"
    except CommandError as refusal:
        return "" if expected is not None and expected in str(refusal) else f"refused: {refusal}"
    return ""


def run_curl(text: str, comment: str, examples: Examples) -> str:
    """By a shell, as a reader does. The comment may name the status that is expected."""
    wanted = found[1] if (found := STATUS.search(comment)) else "2"
    told = subprocess.run(
        ["bash", "-c", text.replace("curl", r"curl --silent --write-out '\n%{http_code}'", 1)],
        env={**os.environ, **examples.variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    body, _newline, status = told.stdout.rpartition("\n")
    return "" if told.returncode == 0 and status.startswith(wanted) else f"{status} {body[-300:]} {told.stderr}"
