"""Doorways for the timetable: each reads the clock and calls one service; extra arguments are for later versions."""

from contextlib import suppress

import structlog
from celery import shared_task
from django.utils import timezone

from payments import bell
from payments.alerts.watch import watch
from payments.apply.undelivered import look_after_undelivered
from payments.backfill.backfill import AlreadyRunning as AlreadyWalking
from payments.backfill.backfill import BackfillOptions, backfill
from payments.billing.reminders import tell_ending_soon, warn_of_deadlines
from payments.cleanup.cleanup import clean_up
from payments.effects.deliver import deliver_all, recover_claimed
from payments.endpoints.drift import check_drift
from payments.figures.check import check_figures
from payments.figures.rollup import refresh_figures
from payments.heartbeats import BEAT, note_heartbeat
from payments.incidents.closing import ClosingCutShort, go_on_closing
from payments.ledger.record import requeue_naming
from payments.payouts.walk import AlreadyReading, read_payouts
from payments.processing.drain import sweep
from payments.reconcile.reconcile import AlreadyRunning, reconcile
from payments.reconcile.unfinished import unfinished_runs
from payments.reconcile.window import next_window
from payments.resync import ResyncOptions, resync_where_needed
from payments.stripe_api.lookups import RATE_LIMIT_PATIENCE, ThrottledStripe
from payments.subscribing import ask_about_closed_accounts, ask_about_second_subscriptions

log = structlog.get_logger(__name__)


@shared_task(name="payments.heartbeat")
def heartbeat_job(**_later: object) -> None:
    """The timetable lives: its ticks come through the broker to a worker."""
    note_heartbeat(BEAT, at=timezone.now())


@shared_task(name="payments.watch")
def watch_job(**_later: object) -> None:
    """Look for what is wrong; mostly the worker's own loop has done it."""
    watch(at=timezone.now())


@shared_task(name="payments.sweep")
def sweep_job(**_later: object) -> None:
    """Queue again what became possible meanwhile, and wake the drain for it."""
    if sweep(at=timezone.now()):
        bell.ring()


@shared_task(name="payments.deliver_effects")
def deliver_effects_job(**_later: object) -> None:
    """Deliver every effect that is due."""
    deliver_all(clock=timezone.now)


@shared_task(name="payments.recover_effects")
def recover_effects_job(**_later: object) -> None:
    """Settle the effects whose worker died while it delivered them."""
    recover_claimed(at=timezone.now())


@shared_task(name="payments.look_after_undelivered")
def look_after_undelivered_job(**_later: object) -> None:
    """Ask staff about what could not be delivered, and try again what is still owed."""
    look_after_undelivered(at=timezone.now())


@shared_task(name="payments.clean_up")
def clean_up_job(**_later: object) -> None:
    """Settle the orders whose time is over, and queue the events again whose order is known by that."""
    summary = clean_up(at=timezone.now())
    requeue_naming(summary.new_references, at=timezone.now())


@shared_task(name="payments.look_up_doubtful")
def look_up_doubtful_job(**_later: object) -> None:
    """Ask Stripe about the subscriptions of which our news may be incomplete."""
    resync_where_needed(options=ResyncOptions(at=timezone.now(), by="timetable"))


@shared_task(name="payments.tell_ending_soon")
def tell_ending_soon_job(**_later: object) -> None:
    """Tell people that the end which they asked for comes near."""
    tell_ending_soon(at=timezone.now())


@shared_task(name="payments.ask_about_second")
def ask_about_second_job(**_later: object) -> None:
    """Ask staff about people with two subscriptions, and about those who pay and cannot sign in any more."""
    ask_about_second_subscriptions(at=timezone.now())
    ask_about_closed_accounts(at=timezone.now())


@shared_task(name="payments.warn_of_deadlines")
def warn_of_deadlines_job(**_later: object) -> None:
    """Tell staff which disputes must be answered soon."""
    warn_of_deadlines(at=timezone.now())


@shared_task(name="payments.refresh_figures")
def refresh_figures_job(**_later: object) -> None:
    """Count the days again that have moved; mostly the worker's own loop has done it."""
    refresh_figures(at=timezone.now())


@shared_task(name="payments.check_figures")
def check_figures_job(**_later: object) -> None:
    """Compare all daily figures with the rows."""
    check_figures(at=timezone.now())


@shared_task(name="payments.reconcile")
def reconcile_job(**_later: object) -> None:
    """Compare Stripe with what is here since the last run; one at a time."""
    at = timezone.now()
    try:
        reconcile(window=next_window(at=at), options=ResyncOptions(at=at, by="timetable"), clock=timezone.now)
    except AlreadyRunning:
        log.info("reconcile.already_running")


@shared_task(name="payments.reconcile_again")
def reconcile_again_job(**_later: object) -> None:
    """Once more what was cut short; nothing where the last run came to its end."""
    if unfinished_runs():
        reconcile_job()


@shared_task(name="payments.read_payouts")
def read_payouts_job(**_later: object) -> None:
    """Read what Stripe has sent to the bank since the last time; one at a time."""
    try:
        read_payouts(clock=timezone.now, stripe=ThrottledStripe(patience=RATE_LIMIT_PATIENCE))
    except AlreadyReading:
        log.info("payouts.already_reading")


@shared_task(name="payments.check_endpoints")
def check_endpoints_job(**_later: object) -> None:
    """Look whether our webhook endpoints at Stripe still are as they should be."""
    check_drift(at=timezone.now())


@shared_task(name="payments.go_on_closing")
def go_on_closing_job(**_later: object) -> None:
    """Take an incident that is being closed to its end; mostly the worker's own loop has done it."""
    with suppress(ClosingCutShort):
        go_on_closing(clock=timezone.now)


@shared_task(name="payments.backfill")
def backfill_job(**_later: object) -> None:
    """Take in the events that no delivery has brought; one walk at a time."""
    try:
        backfill(options=BackfillOptions(by="timetable"), clock=timezone.now)
    except AlreadyWalking:
        log.info("backfill.already_running")
