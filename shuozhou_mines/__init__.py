"""Tie the parts of the portal together: settings, addresses, jobs."""

from shuozhou_mines.celery import app as celery_app

__all__ = ["celery_app"]
