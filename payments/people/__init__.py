"""What payments know of one person, for themselves; and the person taken out of what the accounts must keep."""
