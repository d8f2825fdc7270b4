"""From a dataset as it was distributed to a verified face set: list, read, check, frame, save."""
