"""One paper, one file: its configuration, forward pass, terms and variants."""
