"""What the four papers claim, and what their printed numbers and our runs say of it."""
