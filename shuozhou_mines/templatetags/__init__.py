"""Hold what templates of every part share."""
