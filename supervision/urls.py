"""Map the addresses of this part."""

from django.urls import include, path

from supervision import bulletin_views, meeting_views, target_views, views

urlpatterns = [
    path("staff/supervision/", include("supervision.inspection_urls")),
    path("staff/meetings/", meeting_views.meeting_list, name="meeting-list"),
    path("staff/meetings/<int:meeting_id>/", meeting_views.meeting, name="meeting"),
    path(
        "staff/meetings/<int:meeting_id>/print/", meeting_views.meeting_print, name="meeting-print"
    ),
    path(
        "staff/meetings/<int:meeting_id>/minutes.pdf",
        meeting_views.minutes_pdf,
        name="minutes-pdf",
    ),
    path(
        "staff/meetings/<int:meeting_id>/<slug:part>/",
        meeting_views.meeting_part,
        name="meeting-part",
    ),
    path("staff/targets/", target_views.target_list, name="target-list"),
    path("staff/reports/", views.report_list, name="report-list"),
    path("staff/reports/open/", views.report_open, name="report-open"),
    path("staff/reports/<int:report_id>/", views.report, name="report"),
    path("staff/reports/<int:report_id>/form.xlsx", views.report_file, name="report-file"),
    path("staff/reports/<int:report_id>/upload/", views.report_upload, name="report-upload"),
    path("staff/reports/<int:report_id>/submit/", views.report_submit, name="report-submit"),
    path("staff/reports/<int:report_id>/return/", views.report_return, name="report-return"),
    path("staff/reports/<int:report_id>/correct/", views.report_correct, name="report-correct"),
    path("staff/bulletins/", bulletin_views.bulletin_desk, name="bulletin-desk"),
    path("staff/bulletins/<int:bulletin_id>/", bulletin_views.bulletin, name="bulletin"),
    path(
        "staff/bulletins/<int:bulletin_id>/refresh/",
        bulletin_views.bulletin_refresh,
        name="bulletin-refresh",
    ),
    path(
        "staff/bulletins/<int:bulletin_id>/paragraphs/<slug:key>/",
        bulletin_views.bulletin_paragraph,
        name="bulletin-paragraph",
    ),
    path(
        "staff/bulletins/<int:bulletin_id>/print/",
        bulletin_views.bulletin_print,
        name="bulletin-print",
    ),
    path(
        "staff/bulletins/<int:bulletin_id>/layout/",
        bulletin_views.bulletin_layout,
        name="bulletin-layout",
    ),
    path(
        "staff/bulletins/<int:bulletin_id>/approve/",
        bulletin_views.bulletin_approve,
        name="bulletin-approve",
    ),
    path(
        "staff/bulletins/<int:bulletin_id>/issue/",
        bulletin_views.bulletin_issue,
        name="bulletin-issue",
    ),
    path(
        "staff/bulletins/<int:bulletin_id>/bulletin.docx",
        bulletin_views.bulletin_word,
        name="bulletin-word",
    ),
    path(
        "bulletins/<int:bulletin_id>/annex.xlsx",
        bulletin_views.bulletin_annex,
        name="bulletin-annex",
    ),
    path("bulletins/", bulletin_views.bulletin_list, name="bulletin-list"),
    path("bulletins/<int:bulletin_id>/", bulletin_views.public_bulletin, name="public-bulletin"),
    path(
        "bulletins/<int:bulletin_id>/bulletin.pdf",
        bulletin_views.bulletin_pdf,
        name="bulletin-pdf",
    ),
]
