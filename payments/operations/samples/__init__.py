"""The Stripe objects that sample events carry, one file each."""
