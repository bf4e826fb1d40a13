"""The language of `when = "..."`: a subset of CEL with units, three values and windows (docs/expressions.md)."""
