"""Map the addresses that compare versions, under /staff/plans/versions/."""

from django.urls import path

from plans import version_diff_views

urlpatterns = [
    path("<int:version_id>/diff/", version_diff_views.version_diff, name="version-diff"),
    path(
        "<int:version_id>/diff.xlsx",
        version_diff_views.version_diff_xlsx,
        name="version-diff-xlsx",
    ),
]
