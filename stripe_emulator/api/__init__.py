"""Stripe's API: form parameters in, JSON out, one file per resource."""
