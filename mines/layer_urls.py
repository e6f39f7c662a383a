"""Map the addresses of control layers and terrain, under /staff/layers/."""

from django.urls import path

from mines import layer_views

urlpatterns = [
    path("", layer_views.layer_list, name="layers"),
    path("<int:layer_id>/", layer_views.layer_page, name="layer"),
    path("<int:layer_id>/progress/", layer_views.layer_progress, name="layer-progress"),
    path("<int:layer_id>/shapes.json", layer_views.layer_shapes, name="layer-shapes"),
    path("<int:layer_id>/retire/", layer_views.layer_retire, name="layer-retire"),
]
