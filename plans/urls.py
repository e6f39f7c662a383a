"""Map the addresses of plans, under /staff/plans/."""

from django.urls import include, path

from plans import (
    expert_views,
    finding_views,
    review_views,
    site_check_views,
    version_views,
    views,
    way_views,
)

urlpatterns = [
    path("", views.plan_list, name="plan-list"),
    path("open/<str:county_code>/", views.plan_open, name="plan-open"),
    path("<int:plan_id>/", views.plan_page, name="plan"),
    path("<int:plan_id>/template/", version_views.plan_template, name="plan-template"),
    path("<int:plan_id>/upload/", version_views.plan_upload, name="plan-upload"),
    path("<int:plan_id>/steps/<str:step>/", views.plan_step, name="plan-step"),
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
    path("", include("plans.attachment_urls")),
    path("<int:plan_id>/edit/", include("plans.version_edit_urls")),
    path("versions/", include("plans.version_diff_urls")),
    path("<int:plan_id>/adjust/", views.plan_adjust, name="plan-adjust"),
    path("<int:plan_id>/formal/", review_views.plan_formal, name="plan-formal"),
    path("<int:plan_id>/opinion/", review_views.plan_opinion, name="plan-opinion"),
    path("<int:plan_id>/pass-over/", review_views.plan_pass_over, name="plan-pass-over"),
    path("<int:plan_id>/approve/", review_views.plan_approve, name="plan-approve"),
    path("<int:plan_id>/documents/<str:kind>/", review_views.plan_document, name="plan-document"),
    path("<int:plan_id>/scans/<str:kind>/", review_views.plan_scan, name="plan-scan"),
    path("<int:plan_id>/panel/draw/", expert_views.panel_draw, name="panel-draw"),
    path("<int:plan_id>/panel/remark/", expert_views.panel_remark, name="panel-remark"),
    path("<int:plan_id>/panel/stance/", expert_views.panel_stance, name="panel-stance"),
    path("<int:plan_id>/panel/aside/", expert_views.panel_aside, name="panel-aside"),
    path("<int:plan_id>/panel/conclude/", expert_views.panel_conclude, name="panel-conclude"),
    path("<int:plan_id>/story.pdf", way_views.plan_story, name="plan-story"),
    path("<int:plan_id>/dossier/", way_views.dossier_new, name="dossier-new"),
    path("<int:plan_id>/dossier.zip", way_views.dossier_file, name="dossier-file"),
    path("panels/<int:panel_id>/<str:paper>.pdf", expert_views.panel_paper, name="panel-paper"),
    path("revisions/<int:item_id>/", expert_views.revision_answer, name="revision-answer"),
    path("round/", review_views.round_page, name="plan-round"),
    path("experts/", expert_views.expert_pool, name="expert-pool"),
    path("experts/<int:expert_id>/retire/", expert_views.expert_retire, name="expert-retire"),
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
