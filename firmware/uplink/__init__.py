"""The way to the broker: each message is numbered, kept on disk until it is acknowledged, and sent in order."""
