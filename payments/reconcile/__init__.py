"""Reconcile: walk what Stripe has and what is here, both ways; put right or show what differs.

Nothing is imported here: Django reads the model of this room before it knows any other.
"""
