"""Names of the jobs that services queue and Celery runs: a service knows the name, never the task."""

SWEEP = "payments.sweep"
DELIVER_EFFECTS = "payments.deliver_effects"
RECOVER_EFFECTS = "payments.recover_effects"
CLEAN_UP = "payments.clean_up"
