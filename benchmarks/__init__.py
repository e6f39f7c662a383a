"""Hold each speed that was asked for against its limit, within one run."""
