"""What happens to Stripe objects, one verb each: pay, decline, expire, refund, dispute, renew."""
