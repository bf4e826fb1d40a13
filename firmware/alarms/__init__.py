"""The life of an alarm after ISA-18.2, and its memory across power cuts."""
