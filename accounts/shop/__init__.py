"""Who sells here, as visitors, buyers and readers of mails see it: name, look, contact, and what one agrees to."""
