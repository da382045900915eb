"""The staff's screens for modules, accesses, tokens and keys: one file each."""

from modules_access.admin import accesses, bought, doctor, keys, modules, openings, tokens

__all__ = ["accesses", "bought", "doctor", "keys", "modules", "openings", "tokens"]
