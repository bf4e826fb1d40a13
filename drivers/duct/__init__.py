"""Pictures of simulated ducts with a known coverage: for the simulated board, and for training."""
