"""What the shop's days have brought: roll-ups by day, and the figures of a period that are read from them."""
