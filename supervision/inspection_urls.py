"""Map the addresses of visits and problems."""

from django.urls import path

from supervision import inspection_views, problem_views

urlpatterns = [
    path("", inspection_views.inspection_list, name="inspection-list"),
    path("visits/new/<str:county_code>/", inspection_views.inspection_new, name="inspection-new"),
    path("visits/<int:inspection_id>/", inspection_views.inspection, name="inspection"),
    path("photos/<int:photo_id>/", inspection_views.photo, name="inspection-photo"),
    path("acceptances/", inspection_views.acceptance_list, name="acceptance-list"),
    path("teams/", inspection_views.team_list, name="inspection-teams"),
    path(
        "teams/<int:team_id>/members/", inspection_views.team_member, name="inspection-team-member"
    ),
    path("problems/", problem_views.problem_list, name="problem-list"),
    path("problems/<int:problem_id>/", problem_views.problem, name="problem"),
    path("problems/<int:problem_id>/<slug:step>/", problem_views.problem_step, name="problem-step"),
]
