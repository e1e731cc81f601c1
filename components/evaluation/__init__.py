"""What a policy scores on held-out examples, and whether a difference is real."""
