"""Sensors on an I2C bus, through the kernel's /dev/i2c-N."""
