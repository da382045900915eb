"""Settings, processes and development tools of the project; it names the apps only by string."""

import sys

# structlog would load rich where it is installed (the linters bring it along): a tenth of every start, for tracebacks
# with the values of variables. Ours are plain, so that they tell no secrets.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
