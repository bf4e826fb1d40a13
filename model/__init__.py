"""From a frame to a verdict: judge the image, classify the duct, smooth over snapshots."""
