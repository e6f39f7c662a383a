"""Map the addresses of the task force, under /staff/."""

from django.urls import path

from taskforce import account_views, own_views, sign_in, trail_views, views

urlpatterns = [
    path("counties.json", views.county_shapes, name="county-shapes"),
    path("me/", own_views.my_account, name="my-account"),
    path("me/password/", sign_in.ChangePassword.as_view(), name="password-change"),
    path("me/sessions/end/", own_views.sessions_end, name="sessions-end"),
    path("accounts/", account_views.account_list, name="account-list"),
    path("accounts/new/", account_views.account_new, name="account-new"),
    path("accounts/<int:user_id>/", account_views.account, name="account"),
    path("accounts/<int:user_id>/roles/", account_views.role_grant, name="role-grant"),
    path("accounts/<int:user_id>/tokens/", account_views.token_new, name="token-new"),
    path("accounts/<int:user_id>/<slug:step>/", account_views.account_step, name="account-step"),
    path("tokens/<int:token_id>/revoke/", account_views.token_revoke, name="token-revoke"),
    path("roles/<int:grant_id>/withdraw/", account_views.role_withdraw, name="role-withdraw"),
    path("trail/", trail_views.trail, name="trail"),
    path("trail/export/", trail_views.trail_export, name="trail-export"),
    path("roster/", views.roster, name="roster"),
    path("messages/", views.message_list, name="messages"),
    path("messages/read/", views.messages_read, name="messages-read"),
]
