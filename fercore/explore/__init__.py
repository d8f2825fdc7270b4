"""Looking at finished runs and trying them on photographs; nothing is trained here."""
