"""Sensors that a driver of the kernel reads, through IIO's files (Documentation/ABI/testing/sysfs-bus-iio)."""
