"""The console: what the emulator holds, what it has sent, and a button for whatever may happen at Stripe."""
