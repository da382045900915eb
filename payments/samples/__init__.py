"""Sample events: made-up but complete Stripe events about our orders, and their delivery. For development only."""
