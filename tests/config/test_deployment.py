"""What a deployment starts with: compose.yml, deploy/stack.yml, .env.example and the secrets' files belong together."""

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from config import alive
from config.env import ROOT
from tests.support.processes import free_port, has_redis, running

FILES = ("compose.yml", "deploy/stack.yml")
PRODUCT = ("web", "worker", "beat", "migrations")
# The files say these themselves, or they mean nothing in production.
NOT_TO_CHOOSE = {
    "ENVIRONMENT", "TRUSTED_PROXY_HEADER", "TRUSTED_PROXY_COUNT", "WORKER_READY_FILE", "VAR_DIR", "DEBUG",
    "STRIPE_API_VERSION", "STRIPE_API_BASE", "STRIPE_WEBHOOK_UNSIGNED", "STRIPE_EMULATOR", "STRIPE_EMULATOR_URL",
    "PG_BIN", "DEVDB_BINARIES",
}  # fmt: skip
EXAMPLE = (ROOT / ".env.example").read_text()


@pytest.fixture(params=FILES)
def installation(request):
    return yaml.safe_load((ROOT / request.param).read_text())


def names_of_settings():
    """As docs/settings.md lists them."""
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def mounted_secrets():
    """Of the product, as settings."""
    found = yaml.safe_load((ROOT / "compose.yml").read_text())["services"]["web"]["secrets"]
    return {name.upper() for name in found}


class TestEnvExample:
    def test_names_every_setting_that_a_deployment_may_want(self):
        named = [name.removesuffix("_FILE") for name in re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE)]

        assert sorted(named) == sorted(names_of_settings() - NOT_TO_CHOOSE - mounted_secrets())

    def test_has_no_secret_and_no_quotes_which_swarm_would_keep(self):
        assert not re.search(r"sk_live|whsec_|://\S+:\S+@", EXAMPLE)
        assert not re.search(r"""=["']""", EXAMPLE)

    def test_is_what_a_site_starts_with(self, tmp_path):
        make_secrets(tmp_path)
        told = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if re.match("[A-Z]", line))
        told |= {f"{name}_FILE": str(tmp_path / name.lower()) for name in mounted_secrets()}
        told |= {"STRIPE_SECRET_KEY": "sk_live_unused", "STRIPE_WEBHOOK_SECRET": "whsec_unused"}
        del told["STRIPE_SECRET_KEY_FILE"], told["STRIPE_WEBHOOK_SECRET_FILE"]

        done = subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], cwd=ROOT,
            env={"PATH": os.environ["PATH"], "TRUSTED_PROXY_HEADER": "HTTP_X_FORWARDED_PROTO", **told,
                 "TRUSTED_PROXY_COUNT": "1"}, capture_output=True, text=True,
        )  # fmt: skip

        assert done.returncode == 0, done.stderr


class TestFirstEndpoint:
    def test_can_be_made_by_who_has_no_webhook_secret_yet(self):
        """In production, where nothing else starts without one."""
        told = {"SITE_URL": "https://shop.example", "DATABASE_URL": "postgres://unused/unused", "SECRET_KEY": "unused"}

        done = subprocess.run(
            [sys.executable, "manage.py", "stripe_webhooks", "plan"], cwd=ROOT, capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], **told},
        )  # fmt: skip

        assert "payments.E001" not in done.stderr
        assert "STRIPE_SECRET_KEY" in done.stderr


class TestServices:
    def test_of_the_product_are_one_image(self, installation):
        services = installation["services"]

        assert len({services[name]["image"] for name in PRODUCT}) == 1
        assert all(services[name]["secrets"] == services["web"]["secrets"] for name in PRODUCT)

    def test_are_asked_how_they_are_and_have_limits(self, installation):
        for name, service in installation["services"].items():
            assert "test" in service["healthcheck"] or name == "migrations", name
            assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"]), name
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert "stop_grace_period" in service or name == "migrations", name

    def test_have_their_secrets_as_files_and_each_is_used(self, installation):
        used = {name for service in installation["services"].values() for name in service.get("secrets", ())}
        named = re.findall(r"/run/secrets/(\w+)", yaml.safe_dump(installation))

        assert used == set(installation["secrets"])
        assert set(named) <= used
        written = yaml.safe_dump(installation["services"])
        assert not re.search(r"(PASSWORD|SECRET\w*|TOKEN|KEY):", written)

    def test_name_only_settings_that_exist(self, installation):
        known = names_of_settings() | {f"{name}_FILE" for name in names_of_settings()} | {"PGOPTIONS"}

        assert all(set(installation["services"][name]["environment"]) <= known for name in PRODUCT)

    def test_let_no_migration_wait_for_long_and_nobody_reach_the_data(self, installation):
        assert "lock_timeout" in installation["services"]["migrations"]["environment"]["PGOPTIONS"]
        assert installation["networks"]["data"]["internal"]
        assert installation["services"]["db"]["networks"] == installation["services"]["redis"]["networks"] == ["data"]
        assert [name for name, each in installation["services"].items() if "ports" in each] == ["proxy"]

    @pytest.mark.skipif(not shutil.which("docker"), reason="Docker's command line is not installed")
    def test_are_what_swarm_accepts(self, tmp_path):
        (tmp_path / "deploy").mkdir()
        (tmp_path / ".env").write_text(EXAMPLE)
        for name in ("stack.yml", "Caddyfile"):
            shutil.copy(ROOT / "deploy" / name, tmp_path / "deploy")

        done = subprocess.run(
            ["docker", "stack", "config", "-c", tmp_path / "deploy/stack.yml"], capture_output=True, text=True,
            env={**os.environ, "VERSION": "1.0.0"},
        )  # fmt: skip

        assert done.returncode == 0, done.stderr


def make_secrets(directory: Path) -> str:
    done = subprocess.run(
        ["sh", "deploy/make_secrets.sh", directory], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


class TestMakeSecrets:
    def test_makes_each_once_and_says_what_is_left_to_fill_in(self, tmp_path):
        said = make_secrets(tmp_path / "secrets")
        first = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

        make_secrets(tmp_path / "secrets")

        assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == first
        assert set(first) == set(yaml.safe_load((ROOT / "compose.yml").read_text())["secrets"])
        assert sorted(re.findall(r"secrets/(\w+) ", said)) == sorted(name for name in first if not first[name].strip())
        assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
        assert first["database_password"].strip() in first["database_url"]


class TestRedis:
    @pytest.mark.skipif(not has_redis, reason="redis-server is not installed")
    def test_starts_with_its_password_and_keeps_messages(self, tmp_path):
        """The very command, with the secret and the port of this machine."""
        (tmp_path / "secret").write_text("sesame\n")
        compose, stack = (yaml.safe_load((ROOT / name).read_text())["services"]["redis"]["command"] for name in FILES)
        script = compose[2].replace("$$", "$").replace("/run/secrets/redis_password", str(tmp_path / "secret"))
        port = free_port()

        with running("sh", "-c", f"{script.strip()} --port {port}", log=tmp_path / "redis.log") as redis:
            redis.wait_for("Ready to accept connections")
            refused, told = (
                subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True).stdout
                for words in (["ping"], ["--no-auth-warning", "-a", "sesame", "config", "get", "maxmemory-policy"])
            )

        assert compose == stack
        assert "NOAUTH" in refused
        assert "volatile-ttl" in told


class TestAlive:
    def test_believes_a_worker_whose_loop_goes_round(self, tmp_path, monkeypatch):
        sign = tmp_path / "worker"
        monkeypatch.setenv("WORKER_READY_FILE", str(sign))
        assert not alive.worker()

        sign.touch()
        assert alive.worker()

        silent_since = time.time() - alive.WORKER_SILENCE - 1
        os.utime(sign, (silent_since, silent_since))
        assert not alive.worker()

    def test_believes_a_timetable_that_writes(self, tmp_path, monkeypatch):
        monkeypatch.setenv("VAR_DIR", str(tmp_path))
        assert not alive.beat()

        (tmp_path / "beat.db").touch()

        assert alive.beat()
