"""Count what a visitor does in the cache of the database; addresses are not kept in the clear."""

import ipaddress

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from shuozhou_mines.errors import Refused
from taskforce.trail import address_of_request


class TooMany(Refused):
    """Refuse because this visitor has done this too often in the last hour."""


HOUR = 3600


def count(what: str, *, most: int, who: str = "") -> None:
    """Count one more within the hour; raise TooMany beyond `most`.

    Each count takes a place by INSERT, so that many requests at once cannot pass together.
    """
    who = salted_hmac("publicity.limits", who, algorithm="sha256").hexdigest()[:32]
    for place in range(most):
        if cache.add(f"limit:{what}:{who}:{place}", True, timeout=HOUR):
            return
    raise TooMany("这一小时内提交的次数太多了。请一小时后再试，或按页面上的联系方式书面提出。")


def visitor() -> str:
    """Return the visitor's address, for IPv6 the network: one household has it all."""
    text = address_of_request.get() or ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
