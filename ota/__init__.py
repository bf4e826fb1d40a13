"""Model bundles: what may run on this board, and how it got here."""
