"""The policy: where it starts (warm start) and how GRPO aligns it."""
