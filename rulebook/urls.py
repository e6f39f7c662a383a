"""Map the addresses of the rulebook, under /staff/rulebook/."""

from django.urls import path

from rulebook import trial_views, views

urlpatterns = [
    path("", views.rulebook_page, name="rulebook"),
    path("draft/", views.draft_start, name="rulebook-draft"),
    path("<int:number>/", views.version_page, name="rulebook-version"),
    path("<int:number>/changes/", views.changes_page, name="rulebook-changes"),
    path("<int:number>/entries/<int:entry_id>/", views.entry_page, name="rulebook-entry"),
    path(
        "<int:number>/entries/<int:entry_id>/follow/",
        views.entry_follow_page,
        name="rulebook-entry-follow",
    ),
    path("<int:number>/approve/", views.draft_approve, name="rulebook-approve"),
    path("<int:number>/discard/", views.draft_discard, name="rulebook-discard"),
    path("<int:number>/try/", views.draft_try, name="rulebook-try"),
    path("trials/<int:trial_id>/", trial_views.what_if_page, name="rulebook-what-if"),
    path(
        "trials/<int:trial_id>/cancel/", trial_views.what_if_cancel, name="rulebook-what-if-cancel"
    ),
]
