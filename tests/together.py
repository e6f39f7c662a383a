"""Keep the tests that share something dear on one worker: a pytest plugin of `make test`.

xdist has a mark for this, but its release 3.8 does not see it under pytest 9.2. All other tests are
given out one by one in the order of collection, because those that empty the database come last.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

TOGETHER = ("tests/browser/", "tests/project/test_local_servers.py")


def group_of(nodeid: str) -> str:
    """Name the group of a test; a test that shares nothing is a group of its own."""
    return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Give out whole groups, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Tell xdist how to give out the tests."""
    return GroupScheduling(config, log)
