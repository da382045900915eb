"""Repair: every source is asked once more what it gives, and the rows that say something else are put right."""

from modules_access.repair.heal import Way
from modules_access.repair.repair import AlreadyRepairing, repair, repair_only
from modules_access.repair.report import Difference, Report

__all__ = ["AlreadyRepairing", "Difference", "Report", "Way", "repair", "repair_only"]
