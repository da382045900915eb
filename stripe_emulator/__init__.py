"""Behaves like Stripe towards its official clients: development, tests and drills only, never production."""
