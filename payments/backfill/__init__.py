"""Back-fill: walk Stripe's list of events, take in those that no delivery has brought (docs/adr/0021-completeness.md).

Nothing is imported here: Django reads the models of this room before it knows any other.
"""
