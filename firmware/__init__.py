"""The board's program: schedule, snapshot, verdict, rules, alarms, uplink."""

__version__ = "0.1.0"
