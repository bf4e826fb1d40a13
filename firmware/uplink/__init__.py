"""The way to the broker: what is written to disk first, sent in order, and kept until it is acknowledged."""
