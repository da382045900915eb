"""Stripe objects in the pinned shape, complete when new, and what can be included on demand."""
