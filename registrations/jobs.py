"""Names of this app's jobs, for the timetable."""

SEAT_WAITING = "registrations.seat_waiting"
CHECK_PLACES = "registrations.check_places"
OFFER_PLACES = "registrations.offer_places"
FINISH_CALLING_OFF = "registrations.finish_calling_off"
