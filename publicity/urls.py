"""Map the public addresses, and the office's under /work/notices/."""

from django.urls import path

from publicity import desk_views, views

urlpatterns = [
    path("", views.home, name="public-home"),
    path("map/", views.public_map, name="public-map"),
    path("map/shapes.json", views.public_shapes, name="public-shapes"),
    path("notices/", views.notice_list, name="notice-list"),
    path("notices/<int:notice_id>/", views.notice_page, name="notice"),
    path("notices/<int:notice_id>/shapes.json", views.notice_shapes, name="notice-shapes"),
    path("documents/<int:document_id>/", views.public_document, name="public-document"),
    path("transfers/", views.transfer_list, name="transfer-list"),
    path("standards/", views.standards_page, name="standards"),
    path("task-force/", views.public_roster, name="public-roster"),
    path("open-data/", views.open_data, name="open-data"),
    path("work/notices/", desk_views.notice_desk, name="notice-desk"),
    path("work/notices/new/<int:plan_id>/", desk_views.notice_new, name="notice-new"),
    path(
        "work/notices/<int:notice_id>/withdraw/",
        desk_views.notice_withdraw,
        name="notice-withdraw",
    ),
]
