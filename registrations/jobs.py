"""Names of this app's jobs, for the timetable."""

SEAT_WAITING = "registrations.seat_waiting"
