"""What `deploy/` gives to Prometheus and Grafana speaks of metrics that exist, and has the thresholds of the code."""

import json
import re
from datetime import timedelta

import pytest
import yaml
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config.env import ROOT
from payments.alerts.road import REFUSED_IN_EARNEST
from payments.alerts.rules import find_rule
from payments.figures.period import BACKLOG_WAITS_TOO_LONG
from payments.figures.recent import SAMPLE, WEBHOOKS_DEGRADED
from payments.heartbeats import BUSY_PERCENT, LOST_AFTER
from tests.support.watching import everything_lives

NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+(?=[\[{ )>]|$)")
FUNCTIONS = {"histogram_quantile", "min_over_time"}


def rules():
    [group] = yaml.safe_load((ROOT / "deploy" / "prometheus-rules.yml").read_text())["groups"]
    return {rule["alert"]: rule["expr"] for rule in group["rules"]}


def panels():
    return json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())["panels"]


@pytest.mark.django_db
class TestNames:
    def test_are_those_of_our_metrics(self, client):
        everything_lives(at=timezone.now())
        text = client.get("/metrics").content.decode()
        known = set()
        for family in text_string_to_metric_families(text):
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
            known |= {f"{family.name}{ending}" for ending in endings}
        asked = [*rules().values(), *(target["expr"] for panel in panels() for target in panel["targets"])]

        named = {name for each in asked for name in NAME.findall(each)} - FUNCTIONS

        assert len(named) > 15
        assert named <= known, named - known


class TestThresholds:
    def test_are_those_of_the_code(self):
        told = rules()

        assert f"> {WEBHOOKS_DEGRADED / 100:g}" in told["EventsFail"]
        assert f">= {SAMPLE}" in told["EventsFail"]
        assert told["EventsWait"].endswith(f"> {BACKLOG_WAITS_TOO_LONG.total_seconds():.0f}")
        assert told["WorkerLost"].endswith(f"> {LOST_AFTER.total_seconds():.0f}")
        assert told["HostBusy"].endswith(f"> {BUSY_PERCENT:.0f}")
        refused = find_rule("deliveries.refused")
        assert told["DeliveriesRefused"].endswith(f">= {refused.sample}")
        assert f"[{refused.window // timedelta(minutes=1)}m]" in told["DeliveriesRefused"]
        [reasons] = re.findall(r'reason=~"([a-z_|]+)"', told["DeliveriesRefused"])
        assert set(reasons.split("|")) <= set(REFUSED_IN_EARNEST)
