"""Hardware in the loop: a board's image, a rig that plays the hardware around it, and the suite that runs there."""
