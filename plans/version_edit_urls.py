"""Map the addresses that correct one row of a plan, under /staff/plans/<plan>/edit/."""

from django.urls import path

from plans import version_edit_views

urlpatterns = [
    path("mines/<str:registry_no>/", version_edit_views.edit_disposition, name="edit-disposition"),
    path("areas/<str:code>/", version_edit_views.edit_area, name="edit-area"),
]
