"""Map the addresses of the task force, under /staff/."""

from django.urls import path

from taskforce import views

urlpatterns = [
    path("counties.json", views.county_shapes, name="county-shapes"),
    path("roster/", views.roster, name="roster"),
]
