"""Map the addresses of data on its way into the registry; they stand before those of mines."""

from django.urls import path

from mines import coordinate_views, import_views

urlpatterns = [
    path("import/", import_views.import_start, name="mine-import"),
    path("import/template/<str:county_code>/", import_views.import_template, name="mine-template"),
    path("import/<int:upload_id>/", import_views.import_page, name="mine-import-page"),
    path(
        "import/<int:upload_id>/progress/",
        import_views.import_progress,
        name="mine-import-progress",
    ),
    path(
        "import/<int:upload_id>/columns/", import_views.import_columns, name="mine-import-columns"
    ),
    path(
        "import/<int:upload_id>/recolumn/",
        import_views.import_recolumn,
        name="mine-import-recolumn",
    ),
    path(
        "import/<int:upload_id>/confirm/", import_views.import_confirm, name="mine-import-confirm"
    ),
    path("import/<int:upload_id>/drop/", import_views.import_drop, name="mine-import-drop"),
    path("import/<int:upload_id>/file/", import_views.import_file, name="mine-import-file"),
    path("coordinates/", coordinate_views.coordinates, name="coordinates"),
    path("coordinates/text/", coordinate_views.coordinates_text, name="coordinates-text"),
    path("coordinates/geojson/", coordinate_views.coordinates_geojson, name="coordinates-geojson"),
    path(
        "<str:registry_no>/coordinates/",
        coordinate_views.mine_coordinates,
        name="mine-coordinates",
    ),
    path(
        "<str:registry_no>/coordinates/accept/",
        coordinate_views.mine_coordinates_accept,
        name="mine-coordinates-accept",
    ),
]
