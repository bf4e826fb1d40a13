"""Lines that the board drives and watches: light, relay, buzzer, fan contact, button."""
