"""What needs TensorFlow, which is 1.7 GB: `make test-training` runs these, `make test` does not."""
