"""`manage.py host_status`: how this machine stands, and which secrets are here; for whoever looks into a container."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations

from payments.health.host import HostStatus, read_host


class Command(BaseCommand):
    """Exit code 1: the database or Redis does not answer. Changes nothing."""

    help = (
        "Show load, memory, disk, the busiest processes, versions, whether database and Redis answer, and where each "
        "secret comes from (its last four characters at most). Exit code: 0 all answer, 1 something does not."
    )
    # It is to work where the rest does not.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        found = read_host()
        self.stdout.write(json.dumps(found.as_dict()) if options["json"] else "\n".join(_as_text(found)))
        if not found.is_well:
            raise SystemExit(1)


def _as_text(found: HostStatus) -> Iterator[str]:
    yield f"{found.host}: {found.cpus} cores, {found.cpu_percent:.0f} % busy, load {found.load[0]:.2f} (1 minute), " + (
        f"{found.load[1]:.2f} (5), {found.load[2]:.2f} (15)"
    )
    yield f"memory   {found.memory_used} of {found.memory_total} GB in use"
    yield f"disk     {found.disk_free} of {found.disk_total} GB free"
    for name, trouble in found.reachable.items():
        yield f"{name:8} {trouble.upper() if trouble else 'answers'}"
    yield "versions " + ", ".join(f"{name} {version}" for name, version in found.versions.items())
    yield "busiest processes (per cent of one core, megabytes)"
    for process in found.processes:
        yield f"  {process.pid:>7} {process.cpu_percent:>6.1f} {process.memory_mb:>6}  {process.command}"
    yield "secrets"
    for secret in found.secrets:
        yield f"  {secret.name:22} {secret.ending or 'not set':8} {secret.source}".rstrip()
