"""`ductwatch ota` on the publisher's machine. Never imported by the service on a board."""
