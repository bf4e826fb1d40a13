"""What counts as an alarm: conditions on signals, decided without I/O and without a clock."""
