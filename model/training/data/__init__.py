"""Photos that somebody sorted into clean and dirty: read them, and look for what would mislead a training."""
