"""A small Jobs service for a fleet on a plain broker, and what it remembers."""
