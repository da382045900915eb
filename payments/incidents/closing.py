"""Closes an incident step by step: endpoints, back-fill, holds, what waits, sales, report.

Each step is safe to be done again and is noted when it is done, so that a closing that was cut short goes on where it
stopped: by the command, or by the workers, which look every few seconds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from payments.backfill.backfill import BUDGET_SPENT, AlreadyRunning, BackfillOptions, backfill
from payments.backfill.models import BackfillRun
from payments.bell import ring_on_commit
from payments.effects.enqueue import EffectRequest, enqueue
from payments.endpoints.change import CannotChange, Plan, carry_out, ours, plan_switch
from payments.incidents.mails import CLOSED, people_who_were_told
from payments.incidents.models import ClosingStep, Incident, IncidentState
from payments.incidents.opening import IncidentRefused
from payments.incidents.report import report_of
from payments.incidents.switches import forget
from payments.ledger.models import DUE_STATUSES, HeldType, PaymentEvent
from payments.locks import advisory_lock
from payments.processing.drain import drain_batch, sweep
from payments.processing.replay import release_held
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable
from payments.stripe_api.lookups import ThrottledStripe

log = structlog.get_logger(__name__)
LOCK = "incident"
# Events are dated by the second, and what was on its way when it began was lost as well.
BEFORE = timedelta(hours=1)
# What another worker has in hand is waited for, so long and so often.
PATIENCE, PAUSE_SECONDS = timedelta(minutes=5), 0.2
TROUBLE_MAX_LENGTH = 500
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step has come: `done` of `total`, where that is known (else 0)."""

    step: ClosingStep
    done: int = 0
    total: int = 0


Tell = Callable[[Progress], None]


class ClosingCutShort(RuntimeError):
    """It has not come to its end; the text says why. Going on begins with the step at hand."""


def tell_nobody(_progress: Progress) -> None:
    """For those who look at the incident's row."""


@transaction.atomic
def begin_closing(*, reason: str, by: str, at: datetime) -> Incident:
    """The incident is over; from here on the workers make up for what was missed. Twice is once.

    Raises IncidentRefused where none is open.
    """
    incident = Incident.objects.select_for_update(no_key=True).filter(closed_at__isnull=True).first()
    if incident is None:
        raise IncidentRefused(_("No incident is open."))
    if incident.state == IncidentState.OPEN:
        incident.state, incident.closing_at, incident.closed_by = IncidentState.CLOSING, at, by
        incident.closed_reason = reason.strip()[:500]
        incident.save(update_fields=["state", "closing_at", "closed_by", "closed_reason"])
        log.info("incident.closing", incident=incident.pk, by=by, reason=incident.closed_reason)
    return incident


def go_on_closing(*, clock: Clock, tell: Tell = tell_nobody, stripe: ThrottledStripe | None = None) -> Incident | None:
    """Take the incident that is being closed to its end; None where there is none. Not to be called in a transaction.

    Raises ClosingCutShort; the incident says so as well.
    """
    if not Incident.objects.filter(closed_at__isnull=True, state=IncidentState.CLOSING).exists():
        return None
    with advisory_lock(LOCK, or_raise=ClosingCutShort(_("Somebody else is closing it at this moment."))):
        incident = Incident.objects.filter(closed_at__isnull=True, state=IncidentState.CLOSING).first()
        if incident is None:
            return None
        closing = _Closing(incident, clock, tell, stripe or ThrottledStripe())
        try:
            closing.run()
        except (AlreadyRunning, CannotChange, GatewayRefused, GatewayUnavailable, ClosingCutShort) as trouble:
            incident.trouble = str(trouble)[:TROUBLE_MAX_LENGTH]
            incident.save(update_fields=["trouble"])
            log.warning("incident.closing_cut_short", incident=incident.pk, step=incident.step, reason=str(trouble))
            raise ClosingCutShort(str(trouble)) from trouble
    return incident


@dataclass(frozen=True, slots=True)
class _Closing:
    """One run through the steps that are left."""

    incident: Incident
    clock: Clock
    tell: Tell
    stripe: ThrottledStripe

    def run(self) -> None:
        steps: dict[str, Callable[[], None]] = {
            ClosingStep.ENDPOINTS: self.enable_endpoints, ClosingStep.BACKFILL: self.fetch_missed,
            ClosingStep.RELEASE: self.release, ClosingStep.DRAIN: self.drain, ClosingStep.SALES: self.sell_again,
            ClosingStep.REPORT: self.write_report,
        }  # fmt: skip
        order = list(steps)
        for step in order[order.index(self.incident.step) :]:
            self.incident.step = step
            self._save("step")
            self.tell(Progress(ClosingStep(step)))
            steps[step]()
            self.incident.trouble = ""
            self._save("trouble")

    def enable_endpoints(self) -> None:
        """Those that the incident has disabled and that are still there; somebody else's stay as they are."""
        if self.incident.endpoints:
            found = ours()
            steps = plan_switch(found, on=True).steps if found.ours else ()
            own = [step for step in steps if step.endpoint in self.incident.endpoints]
            carry_out(Plan(own), keep=lambda _secret: None)

    def fetch_missed(self) -> None:
        """From before the opening; as many walks as it takes."""
        while True:
            since = self.incident.walked_to or self.incident.opened_at - BEFORE
            run = backfill(
                options=BackfillOptions(by=str(self.incident), since=since, stripe=self.stripe), clock=self.clock
            )
            self.incident.walked_to = run.reached or since
            self._save("walked_to")
            self.tell(Progress(ClosingStep.BACKFILL, run.missing, run.seen))
            if run.finished:
                return
            self._require_progress(run, since)

    def _require_progress(self, run: BackfillRun, since: datetime) -> None:
        """More than one walk reads is gone on with at once; whatever else has ended it needs time."""
        if run.reason != BUDGET_SPENT or run.reached is None or run.reached <= since:
            raise ClosingCutShort(str(run.why_not))

    def release(self) -> None:
        """Its own holds; what somebody holds for another reason stays held."""
        at = self.clock()
        for name in HeldType.objects.filter(incident=self.incident).order_by("pk").values_list("pk", flat=True):
            release_held(type=name, by=None, reason=f"{self.incident}: {self.incident.closed_reason}", at=at)
        self.incident.to_drain, self.incident.drained = _due(at=at).count(), 0
        self._save("to_drain", "drained")

    def drain(self) -> None:
        """Beside the workers, the oldest first, until nothing is left of what was here when it began."""
        began = self.clock()
        while True:
            at = self.clock()
            if done := drain_batch(at=at):
                self.incident.drained = min(self.incident.drained + done, self.incident.to_drain)
                self._save("drained")
                self.tell(Progress(ClosingStep.DRAIN, self.incident.drained, self.incident.to_drain))
            # A worker may have set aside what it had in hand when the hold ended.
            elif not _due(at=began).exists() and not sweep(at=at):
                return
            elif at > began + PATIENCE:
                raise ClosingCutShort(_("Events wait that another worker has in hand."))
            else:
                time.sleep(PAUSE_SECONDS)

    def sell_again(self) -> None:
        if self.incident.pauses_sales and self.incident.sales_resumed_at is None:
            self.incident.sales_resumed_at = self.clock()
            self._save("sales_resumed_at")
            forget()

    @transaction.atomic
    def write_report(self) -> None:
        at, incident = self.clock(), self.incident
        incident.report = report_of(incident, at=at)
        incident.state, incident.closed_at, incident.trouble = IncidentState.CLOSED, at, ""
        self._save("report", "state", "closed_at", "trouble")
        staff = EffectRequest(f"{CLOSED}:{incident.pk}", CLOSED, None, {"incident": incident.pk})
        enqueue([staff, *people_who_were_told(incident)], at=at)
        ring_on_commit()
        transaction.on_commit(forget)
        log.warning("incident.closed", incident=incident.pk, by=incident.closed_by, **incident.report["meanwhile"])

    def _save(self, *fields: str) -> None:
        self.incident.save(update_fields=fields)


def _due(*, at: datetime) -> QuerySet[PaymentEvent]:
    """What is due at this moment and was here by then."""
    return PaymentEvent.objects.filter(status__in=DUE_STATUSES, next_attempt_at__lte=at, received_at__lte=at)
