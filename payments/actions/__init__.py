"""What we do at Stripe: each asks through the gateway, outside any transaction, and stores before and after."""
