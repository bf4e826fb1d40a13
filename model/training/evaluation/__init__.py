"""What a model is worth: measured on labelled photos, judged by the very classes that judge on a board."""
