"""The papers' loss terms: pure functions, tensors in, scalar mean out."""
