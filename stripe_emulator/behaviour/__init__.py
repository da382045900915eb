"""What happens to Stripe objects, by subject: paid, declined, expired, refunded, disputed, renewed."""
