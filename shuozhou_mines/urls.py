"""Map addresses to pages: the public at the root, the task force under /staff/."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from plans import what_if  # noqa: F401  gives its job a name on the pages of jobs
from shuozhou_mines import views
from taskforce.sign_in import AcceptInvitation, SignIn, SignOut

urlpatterns = [
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("invitation/<slug:uidb64>/<slug:token>/", AcceptInvitation.as_view(), name="invitation"),
    path("sign-out/", SignOut.as_view(), name="logout"),
    path("staff/", views.desk, name="desk"),
    path("staff/jobs/", views.job_list, name="job-list"),
    path("staff/jobs/<int:job_id>/", views.job_page, name="job"),
    path("staff/jobs/<int:job_id>/cancel/", views.job_cancel, name="job-cancel"),
    path("staff/mines/", include("mines.urls")),
    path("staff/checks/", include("mines.check_urls")),
    path("staff/layers/", include("mines.layer_urls")),
    path("staff/rulebook/", include("rulebook.urls")),
    path("staff/plans/", include("plans.urls")),
    path("staff/planner/", include("plans.planner_urls")),
    path("staff/", include("taskforce.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/", include("mines.api")),
    path("", include("publicity.urls")),
    path("", include("supervision.urls")),
]
