"""What people see of the emulator: the Checkout page of the buyer and the console."""
