"""Names of this app's jobs, for the timetable."""

from datetime import time

REPAIR = "modules_access.repair"
# As config/celery.py has it, by the site's clock: what staff are told must not load Celery into the web process.
REPAIR_AT = time(3, 40)
