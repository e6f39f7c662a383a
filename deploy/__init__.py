"""The two commands and what a real installation needs; the standard library alone."""
