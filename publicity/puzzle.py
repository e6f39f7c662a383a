"""Ask the sender's machine for a little work before anything public is taken in.

The puzzle slows floods; it does not tell people from machines. The page hosts all of it.
"""

import base64
import json
from datetime import timedelta
from typing import Any

import altcha
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import salted_hmac

LASTS = timedelta(minutes=20)


def new_puzzle() -> dict[str, Any]:
    """Return a puzzle for the browser: find the number behind a hash, 0 to PUZZLE_MOST."""
    options = altcha.ChallengeOptions(
        hmac_key=_key(), max_number=settings.PUZZLE_MOST, expires=timezone.now() + LASTS
    )
    return altcha.create_challenge(options).to_dict()


def is_solved(answer: str) -> bool:
    """Tell whether the answer solves a puzzle of ours that is neither old nor used before."""
    if not answer or len(answer) > 2000:
        return False
    try:
        solved, _ = altcha.verify_solution(answer, _key(), check_expires=True)
    except Exception:  # whatever a stranger sends in place of an answer is not an answer
        return False
    if not solved:
        return False
    # By the puzzle, not by the answer's spelling; add() is one INSERT, so that of two requests with
    # the same answer only one gets through.
    puzzle = json.loads(base64.b64decode(answer))["challenge"]
    return bool(cache.add(f"puzzle:{puzzle}", True, timeout=int(LASTS.total_seconds()) + 60))


def _key() -> str:
    return salted_hmac("publicity.puzzle", "key", algorithm="sha256").hexdigest()
