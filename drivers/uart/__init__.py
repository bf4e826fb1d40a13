"""Sensors on a serial port."""
