"""What the board can sense and switch: cameras, sensors, lights, relays, and the types they speak."""
