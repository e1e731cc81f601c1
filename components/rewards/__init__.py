"""What a completion is worth: pure functions, one a file, and the portfolio that composes them."""
