"""Systems that a paper compares with and that can be rebuilt."""
