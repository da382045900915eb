"""Our webhook endpoint at Stripe: what it should be, what differs, and putting it right.

https://docs.stripe.com/api/webhook_endpoints
"""
