"""Map the addresses of plans, under /work/plans/."""

from django.urls import path

from plans import version_views, views

urlpatterns = [
    path("", views.plan_list, name="plan-list"),
    path("open/<str:county_code>/", views.plan_open, name="plan-open"),
    path("<int:plan_id>/", views.plan_page, name="plan"),
    path("<int:plan_id>/template/", version_views.plan_template, name="plan-template"),
    path("<int:plan_id>/upload/", version_views.plan_upload, name="plan-upload"),
    path("<int:plan_id>/steps/<str:step>/", views.plan_step, name="plan-step"),
    path("<int:plan_id>/opinion/", views.plan_opinion, name="plan-opinion"),
    path("<int:plan_id>/approve/", views.plan_approve, name="plan-approve"),
    path("versions/<int:version_id>/", version_views.version_page, name="plan-version"),
    path(
        "versions/<int:version_id>/progress/",
        version_views.version_progress,
        name="plan-version-progress",
    ),
    path("versions/<int:version_id>/file/", version_views.version_file, name="plan-version-file"),
    path(
        "versions/<int:version_id>/marked/",
        version_views.version_marked,
        name="plan-version-marked",
    ),
    path("versions/<int:version_id>/shapes.json", views.plan_shapes, name="plan-shapes"),
]
