"""Why somebody has (no) access: payment → event → order → access → token → /encours, and the first broken link."""

from modules_access.doctor.ask import Asked, NotKnown, ask
from modules_access.doctor.diagnose import diagnose
from modules_access.doctor.links import Chain, Diagnosis, Link, State, Verdict

__all__ = ["Asked", "Chain", "Diagnosis", "Link", "NotKnown", "State", "Verdict", "ask", "diagnose"]
