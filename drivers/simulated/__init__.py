"""A board without hardware: cameras, sensors and lines that look at one simulated duct."""
