"""The board's program: schedule, snapshot, verdict, rules, alarms, uplink."""

__version__ = "0.1.0"
RELEASED = "2026-11-27"  # UTC, with the version: no board's clock is believed to be before it
