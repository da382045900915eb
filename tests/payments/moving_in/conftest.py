"""Files of old systems, and the command that takes them in."""

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.support.old_systems import Cells, write_csv


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., Any]:
    """`imported(kind, rows, *options)`: how many rows became what; `rows` may also be a file or its text."""

    def run(kind: str, rows: Iterable[Cells] | Path | str, *options: str) -> Any:
        path = rows if isinstance(rows, Path) else tmp_path / f"{kind}.csv"
        if isinstance(rows, str):
            path.write_text(rows)
        elif not isinstance(rows, Path):
            write_csv(path, iter(rows))
        out = io.StringIO()
        try:
            call_command("import_data", kind, str(path), "--json", *options, stdout=out)
        except CommandError:
            if not out.getvalue():
                raise
        return json.loads(out.getvalue())

    return run


@pytest.fixture
def counted(imported: Callable[..., Any]) -> Callable[..., dict[str, int]]:
    """As `imported`, only the outcomes that there were."""

    def run(*arguments: Any) -> dict[str, int]:
        report = imported(*arguments)
        return {name: report[name] for name in ("created", "changed", "there", "refused") if report[name]}

    return run
