import json
import logging
import subprocess
import sys
from io import StringIO

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from config.logs import formatter

SECRETS = "whsec_abc sk_live_abc pi_1_secret_abc t=1,v1=abc zoe@example.com"


@pytest.fixture
def written():
    """What a handler with our formatter has written, and nothing of it goes anywhere else."""
    return StringIO()


@pytest.fixture
def log_to(written):
    handlers: list[tuple[logging.Logger, logging.Handler, int]] = []

    def start(name, *, log_format="json"):
        logger = logging.getLogger(name)
        handler = logging.StreamHandler(written)
        handler.setFormatter(formatter(log_format=log_format))
        handlers.append((logger, handler, logger.level))
        logger.addHandler(handler)
        logger.setLevel("INFO")
        return logger

    yield start
    for logger, handler, level in handlers:
        logger.removeHandler(handler)
        logger.setLevel(level)


class TestPipeline:
    def test_makes_one_json_line_of_an_event(self, log_to, written):
        log_to("shop")

        with bound_contextvars(request_id="request-1"):
            structlog.get_logger("shop").info("order.moved", order=12, to="PAID")

        line = json.loads(written.getvalue())
        assert line.pop("timestamp").endswith("Z")
        assert line == {
            "event": "order.moved",
            "order": 12,
            "to": "PAID",
            "request_id": "request-1",
            "logger": "shop",
            "level": "info",
        }

    def test_makes_the_same_of_plain_logging(self, log_to, written):
        logger = log_to("library")

        with bound_contextvars(request_id="request-1"):
            logger.warning("%s tries", 3)

        line = json.loads(written.getvalue())
        assert (line["event"], line["level"], line["logger"]) == ("3 tries", "warning", "library")
        assert line["request_id"] == "request-1"

    @pytest.mark.parametrize("log_format", ["json", "console"])
    def test_masks_events_messages_fields_and_tracebacks(self, log_to, written, log_format):
        logger = log_to("shop", log_format=log_format)

        try:
            raise ValueError(SECRETS)
        except ValueError as error:
            structlog.get_logger("shop").exception(SECRETS, deep=[{"password": "hunter2", SECRETS: error}])
            logger.exception("%s", SECRETS, stack_info=True)

        text = written.getvalue()
        assert "ValueError" in text
        assert "Traceback" in text
        assert not any(part in text for part in ("_abc", "v1=abc", "zoe@", "hunter2"))

    def test_masks_what_was_bound_to_the_context(self, log_to, written):
        log_to("shop")

        with bound_contextvars(user="zoe@example.com"):
            structlog.get_logger("shop").info("thing.happened")

        assert json.loads(written.getvalue())["user"] == "z***@***.com"

    def test_writes_one_line_whatever_is_in_the_text(self, log_to, written):
        log_to("shop")

        structlog.get_logger("shop").info("thing.happened", text='a\nb\r"\ud800\u2028')

        assert len(written.getvalue().splitlines()) == 1


PROGRAM = """
import logging, structlog
from config.logs import logging_config
logging_config(log_format="json", level="info")
logging.getLogger("stripe").info("message='Request to Stripe api' body")
logging.getLogger("django.request").warning("Not Found: /wp-login.php")
logging.getLogger("celery.worker.strategy").info("Task received")
logging.getLogger("stripe").warning("heard 1")
logging.getLogger("django.request").error("heard 2")
structlog.get_logger("shop").debug("not heard")
structlog.get_logger("shop").info("heard 3")
print("the command's own output")
"""


class TestLoggingConfig:
    def test_needs_no_django_and_keeps_noisy_libraries_quiet(self):
        ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)

        assert ran.stdout == "the command's own output\n"
        heard = [json.loads(line)["event"] for line in ran.stderr.splitlines()]
        assert heard == ["heard 1", "heard 2", "heard 3"]

    @pytest.mark.parametrize(("verbose", "heard"), [(True, ["tick"]), (False, [])])
    def test_leaves_out_the_timetable_where_only_people_read(self, verbose, heard):
        program = f"""
import logging
from config.logs import logging_config
logging_config(log_format="json", level="info", verbose={verbose})
logging.getLogger("celery.beat").info("tick")
"""

        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

        assert [json.loads(line)["event"] for line in ran.stderr.splitlines()] == heard
