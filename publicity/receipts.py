"""Number what the public sends in, so that it can be followed and not be guessed."""

import secrets
from datetime import date

# Without the letters and figures that are taken for one another.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_receipt_number(day: date) -> str:
    """Return a number such as YY250903-7K4M-2QXP: the day, and 31⁸ ways to go on."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"YY{day:%y%m%d}-{letters[:4]}-{letters[4:]}"


def tidy(typed: str) -> str:
    """Return a receipt number as it is stored, however it was typed."""
    plain = "".join(character for character in typed.upper() if character.isalnum())
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}" if len(plain) == 16 else ""
