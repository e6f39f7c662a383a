"""Read the formal check-list S-H01–S-H13 and put what it found into a sentence."""

from collections.abc import Mapping

from plans.review_models import FormalReview
from standards.rules import Rule
from standards.run import ordered_rules
from standards.terms import Presence

GROUP = "S-H"


def formal_items() -> list[Rule]:
    """Return the items of the check-list with their clauses, in their order."""
    return [rule for rule in ordered_rules() if rule.code.startswith(GROUP)]


def what_is_open(review: FormalReview | None) -> list[str]:
    """Return the items without a conclusion."""
    items: Mapping[str, Mapping[str, str]] = review.items if review else {}
    return [rule.code for rule in formal_items() if not items.get(rule.code, {}).get("presence")]


def what_is(review: FormalReview, *wanted: Presence) -> list[str]:
    """Return the items with one of these conclusions, as clauses of a sentence."""
    found = []
    for rule in formal_items():
        item = review.items.get(rule.code, {})
        if item.get("presence") in wanted:
            note = f"：{item['note'].rstrip('。')}" if item.get("note") else ""
            found.append(f"{rule.code} {rule.title}（{Presence(item['presence']).label}）{note}")
    return found


def summary(review: FormalReview | None) -> str:
    """Return what the check-list found wanting, for the letter of return; "" when nothing."""
    wanting = what_is(review, Presence.ABSENT, Presence.WEAK) if review else []
    return "形式审查：" + "；".join(wanting) + "。" if wanting else ""
