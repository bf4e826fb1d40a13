"""Makes the model: renders ducts, trains, quantises, measures, writes the bundle. Never imported on the board."""
