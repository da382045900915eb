"""Drills: an incident played on the Stripe emulator, solved by people in the browser, and judged by what they did."""
