"""Map the addresses of plans, under /staff/plans/."""

from django.urls import include, path

from plans import finding_views, site_check_views, version_views, views

urlpatterns = [
    path("", views.plan_list, name="plan-list"),
    path("open/<str:county_code>/", views.plan_open, name="plan-open"),
    path("<int:plan_id>/", views.plan_page, name="plan"),
    path("<int:plan_id>/template/", version_views.plan_template, name="plan-template"),
    path("<int:plan_id>/upload/", version_views.plan_upload, name="plan-upload"),
    path("<int:plan_id>/steps/<str:step>/", views.plan_step, name="plan-step"),
    path("<int:plan_id>/opinion/", views.plan_opinion, name="plan-opinion"),
    path("<int:plan_id>/approve/", views.plan_approve, name="plan-approve"),
    path("<int:plan_id>/site-checks/", site_check_views.site_checks, name="plan-site-checks"),
    path(
        "site-checks/<int:check_id>/file/",
        site_check_views.site_check_file,
        name="site-check-file",
    ),
    path(
        "site-checks/<int:check_id>/withdraw/",
        site_check_views.site_check_withdraw,
        name="site-check-withdraw",
    ),
    path("versions/", include("plans.version_diff_urls")),
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
    path("versions/<int:version_id>/check/", finding_views.plan_check, name="plan-check"),
    path(
        "versions/<int:version_id>/check/progress/",
        finding_views.plan_check_progress,
        name="plan-check-progress",
    ),
    path("findings/<int:finding_id>/", finding_views.finding_page, name="finding"),
    path("findings/<int:finding_id>/rule/", finding_views.finding_rule, name="finding-rule"),
    path(
        "findings/<int:finding_id>/request/", finding_views.finding_request, name="finding-request"
    ),
    path("rulings/<int:ruling_id>/confirm/", finding_views.ruling_confirm, name="ruling-confirm"),
    path("runs/<int:run_id>/shapes.json", finding_views.finding_shapes, name="finding-shapes"),
    path("runs/<int:run_id>/findings.xlsx", finding_views.findings_xlsx, name="findings-xlsx"),
    path("runs/<int:run_id>/findings.pdf", finding_views.findings_pdf, name="findings-pdf"),
    path("versions/<int:version_id>/shapes.json", views.plan_shapes, name="plan-shapes"),
]
