"""Payouts: what Stripe sends to the bank, what it is made of, and whether it adds up with what is known here.

Nothing is imported here: Django reads the models of this room before it knows any other.
"""
