"""Map the public addresses, and the office's under /staff/notices/."""

from django.urls import path

from publicity import (
    data_views,
    desk_views,
    document_views,
    objection_desk_views,
    objection_views,
    package_views,
    question_views,
    transfer_views,
    views,
)

urlpatterns = [
    path("", views.home, name="public-home"),
    path("map/", views.public_map, name="public-map"),
    path("map/shapes.json", views.public_shapes, name="public-shapes"),
    path(
        "map/tiles/<slug:side>/<int:z>/<int:x>/<int:y>.mvt", views.public_tiles, name="public-tiles"
    ),
    path("notices/", views.notice_list, name="notice-list"),
    path("notices/<int:notice_id>/", views.notice_page, name="notice"),
    path("notices/<int:notice_id>/shapes.json", views.notice_shapes, name="notice-shapes"),
    path("documents/<int:document_id>/", document_views.public_document, name="public-document"),
    path("transfers/", transfer_views.transfer_list, name="transfer-list"),
    path("standards/", views.standards_page, name="standards"),
    path("task-force/", views.public_roster, name="public-roster"),
    path("about/", views.about, name="about"),
    path("open-data/", document_views.open_data, name="open-data"),
    path("notices/feed.xml", data_views.notice_feed, name="notice-feed"),
    path("notices/<int:notice_id>/ask/", question_views.question_new, name="question-new"),
    path("api/public/v1/", data_views.api_root, name="api-root"),
    path("api/public/v1/notices/", data_views.api_notices, name="api-notices"),
    path("api/public/v1/notices/<int:notice_id>/", data_views.api_notice, name="api-notice"),
    path("api/public/v1/mines/", data_views.api_mines, name="api-mines"),
    path("api/public/v1/areas/", data_views.api_areas, name="api-areas"),
    path("api/public/v1/shapes/", data_views.api_shapes, name="api-shapes"),
    path("api/public/v1/transfers/", data_views.api_transfers, name="api-transfers"),
    path("staff/questions/", question_views.question_desk, name="question-desk"),
    path("staff/questions/<int:question_id>/", question_views.question_answer, name="question"),
    path(
        "staff/questions/<int:question_id>/decline/",
        question_views.question_decline,
        name="question-decline",
    ),
    path("staff/transfers/", transfer_views.transfer_desk, name="transfer-desk"),
    path(
        "staff/transfers/<int:transfer_id>/withdraw/",
        transfer_views.transfer_withdraw,
        name="transfer-withdraw",
    ),
    path("puzzle/", objection_views.puzzle, name="puzzle"),
    path("notices/<int:notice_id>/object/", objection_views.objection_new, name="objection-new"),
    path("objections/", objection_views.objection_look_up, name="objection-look-up"),
    path("objections/case/", objection_views.objection_case, name="objection-case"),
    path("objections/case/reply/", objection_views.objection_reply, name="objection-reply"),
    path("objections/case/leave/", objection_views.objection_leave, name="objection-leave"),
    path("staff/notices/", desk_views.notice_desk, name="notice-desk"),
    path("staff/notices/new/<int:plan_id>/", desk_views.notice_new, name="notice-new"),
    path("staff/notices/issue/<int:plan_id>/", desk_views.plan_issue, name="plan-issue"),
    path(
        "staff/notices/<int:notice_id>/withdraw/",
        desk_views.notice_withdraw,
        name="notice-withdraw",
    ),
    path("staff/notices/<int:notice_id>/sites/", package_views.notice_sites, name="notice-sites"),
    path(
        "staff/notices/<int:notice_id>/package/new/", package_views.package_new, name="package-new"
    ),
    path("staff/notices/<int:notice_id>/package/", package_views.package_file, name="package-file"),
    path(
        "staff/notices/screenshots/<int:appearance_id>/",
        package_views.appearance_screenshot,
        name="appearance-screenshot",
    ),
    path("staff/objections/", objection_desk_views.objection_desk, name="objection-desk"),
    path(
        "staff/objections/<int:objection_id>/",
        objection_desk_views.objection_page,
        name="objection",
    ),
    path(
        "staff/objections/<int:objection_id>/identity/",
        objection_desk_views.objection_identity,
        name="objection-identity",
    ),
    path(
        "staff/objections/<int:objection_id>/files/<int:file_id>/",
        objection_desk_views.objection_attachment,
        name="objection-attachment",
    ),
    path(
        "staff/objections/<int:objection_id>/reply/",
        objection_desk_views.objection_desk_reply,
        name="objection-desk-reply",
    ),
    path(
        "staff/objections/<int:objection_id>/<slug:step>/",
        objection_desk_views.objection_step,
        name="objection-step",
    ),
]
