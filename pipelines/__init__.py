"""What runs, in which order, and how a person starts it."""
