"""Map the addresses of the task force, under /staff/."""

from django.urls import path

from taskforce import trail_views, views

urlpatterns = [
    path("counties.json", views.county_shapes, name="county-shapes"),
    path("trail/", trail_views.trail, name="trail"),
    path("trail/export/", trail_views.trail_export, name="trail-export"),
    path("roster/", views.roster, name="roster"),
    path("messages/", views.message_list, name="messages"),
    path("messages/read/", views.messages_read, name="messages-read"),
]
