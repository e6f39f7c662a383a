"""Map the addresses of the consolidation planner, under /staff/planner/."""

from django.urls import path

from plans import planner_views

urlpatterns = [
    path("", planner_views.planner_page, name="planner"),
    path("run/", planner_views.planner_run, name="planner-run"),
    path("runs/<int:run_id>/progress/", planner_views.planner_progress, name="planner-progress"),
    path("clusters/<int:cluster_id>/", planner_views.planner_cluster, name="planner-cluster"),
    path(
        "proposals/<int:proposal_id>/shapes.json",
        planner_views.planner_shapes,
        name="planner-shapes",
    ),
    path("proposals/<int:proposal_id>/take/", planner_views.planner_take, name="planner-take"),
    path(
        "proposals/<int:proposal_id>/workbook.xlsx",
        planner_views.planner_workbook,
        name="planner-workbook",
    ),
]
