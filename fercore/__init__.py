"""Four papers on facial expression recognition, one mechanism: term -> player -> method -> variant."""
