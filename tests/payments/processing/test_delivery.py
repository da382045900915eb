"""What delivers effects is a process of its own beside the worker; each ends with the other, or is started anew."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from payments.effects.enqueue import EffectRequest, enqueue
from payments.effects.models import Effect
from payments.statuses import EffectStatus
from tests.support.ledger_rows import ring_bell
from tests.support.processes import PROCESS_TIMEOUT, running_command, running_worker, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def want_alert(name):
    data = {"type": "charge.failed", "error_kind": "KeyError", "event": "evt_1"}
    with transaction.atomic():
        enqueue([EffectRequest(key=name, kind="alert.event_dead", order_id=None, data=data)], at=timezone.now())
    ring_bell()


def is_delivered(name):
    return Effect.objects.filter(key=name, status=EffectStatus.DONE).exists()


def deliverers_of(worker):
    """Its children that deliver: with a pool of threads it has no others."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == worker.popen.pid and "deliver_effects" in (path / "cmdline").read_text():
                found.append(int(path.name))
    return found


def is_running(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def deliverer_at_work(worker):
    """Once it has delivered something."""
    want_alert("first")
    wait_until(lambda: is_delivered("first"), or_show=lambda: worker.output)
    (pid,) = deliverers_of(worker)
    return pid


class TestDelivery:
    def test_is_done_by_one_process_beside_the_worker_which_is_started_anew(self, tmp_path):
        with running_worker(tmp_path) as worker:
            pid = deliverer_at_work(worker)

            os.kill(pid, signal.SIGKILL)
            worker.wait_for("DeliveryEnded")
            want_alert("second")

            wait_until(lambda: is_delivered("second"), or_show=lambda: worker.output)
            assert len(deliverers_of(worker)) == 1

    @pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
    def test_ends_with_its_worker_however_that_ends(self, tmp_path, sign):
        with running_worker(tmp_path) as worker:
            wait_until(lambda: deliverers_of(worker), or_show=lambda: worker.output)
            (pid,) = deliverers_of(worker)

            worker.stop(sign)

            wait_until(lambda: not is_running(pid), or_show=lambda: worker.output)

    def test_leaves_signals_to_its_worker(self, tmp_path):
        """A terminal sends Ctrl-C to the whole group."""
        with running_worker(tmp_path) as worker:
            pid = deliverer_at_work(worker)

            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
            want_alert("second")

            wait_until(lambda: is_delivered("second"), or_show=lambda: worker.output)
            assert deliverers_of(worker) == [pid]

    def test_is_done_once_by_a_command(self, tmp_path):
        want_alert("first")

        with running_command(tmp_path, "deliver_effects") as command:
            command.popen.wait(PROCESS_TIMEOUT)

        assert "1 taken in hand." in command.output
        assert is_delivered("first")
