"""Repair: every source is asked once more what it gives, and the rows that say something else are put right."""

from modules_access.repair.repair import AlreadyRepairing, RepairOptions, repair, repair_chosen
from modules_access.repair.report import Difference, Report

__all__ = ["AlreadyRepairing", "Difference", "RepairOptions", "Report", "repair", "repair_chosen"]
