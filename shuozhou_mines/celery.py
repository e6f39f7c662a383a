"""Configure the queue; state lives in PostgreSQL, Redis only carries ids."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuozhou_mines.settings")

app = Celery("shuozhou_mines")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="tasks")
app.autodiscover_tasks(["shuozhou_mines"], related_name="jobs")
app.autodiscover_tasks(related_name="schedule")
app.autodiscover_tasks(["plans"], related_name="what_if")
