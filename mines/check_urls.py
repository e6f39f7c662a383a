"""Map the addresses of the registry's checks, under /staff/checks/."""

from django.urls import path

from mines import check_views

urlpatterns = [
    path("", check_views.checks_page, name="registry-checks"),
    path("start/", check_views.check_start, name="registry-check"),
    path("cancel/", check_views.check_cancel, name="registry-check-cancel"),
    path("<int:run_id>/progress/", check_views.check_progress, name="registry-check-progress"),
    path("lists/<slug:kind>/", check_views.list_page, name="registry-list"),
    path("lists/<slug:kind>/export/", check_views.list_export, name="registry-list-export"),
    path("rules/<str:code>/", check_views.rule_page, name="registry-rule"),
]
