"""A cleaning of the duct, from its start to a report that can be signed."""
