"""The staff's screens for modules, accesses, tokens and keys: one file each."""

from modules_access.admin import accesses, keys, modules, tokens

__all__ = ["accesses", "keys", "modules", "tokens"]
