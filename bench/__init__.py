"""Measures what the firmware promises: speed, punctuality, memory. Run `python -m bench --help`."""
