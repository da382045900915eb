"""Stripe objects in the pinned shape, one file each: complete when new, and what can be included on demand."""
