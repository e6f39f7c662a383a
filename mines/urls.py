"""Map the addresses of this part."""

from django.urls import include, path

from mines import mine_views, record_views, views

urlpatterns = [
    path("", include("mines.import_urls")),
    path("", views.mine_list, name="mine-list"),
    path("shapes.json", views.mine_shapes, name="mine-shapes"),
    path("tiles/<int:z>/<int:x>/<int:y>.mvt", views.mine_tile, name="mine-tiles"),
    path("export/<str:kind>/", views.mine_export, name="mine-export"),
    path("<str:registry_no>/", mine_views.mine_page, name="mine"),
    path("<str:registry_no>/history/", mine_views.mine_history, name="mine-history"),
    path("<str:registry_no>/shapes.json", mine_views.mine_surroundings, name="mine-surroundings"),
    path("<str:registry_no>/corners.txt", mine_views.mine_corners, name="mine-corners"),
    path("<str:registry_no>/records/<str:kind>/", record_views.mine_record, name="mine-record"),
    path(
        "<str:registry_no>/documents/<int:document_id>/",
        record_views.mine_document,
        name="mine-document",
    ),
]
