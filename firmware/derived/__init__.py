"""What is computed from readings and verdicts: pure functions, and what little they remember."""
