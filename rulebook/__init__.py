"""Keep the thresholds, periods and lists of the rules as versions that two people answer for."""
