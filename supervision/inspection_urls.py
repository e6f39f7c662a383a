"""Map the addresses of visits and problems."""

from django.urls import path

from supervision import dispatch_views, inspection_views, problem_views, task_views

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
    path("tasks/", task_views.task_board, name="task-board"),
    path("tasks/<int:task_id>/", task_views.task_page, name="task"),
    path("tasks/<int:task_id>/complete/", task_views.task_complete, name="task-complete"),
    path("tasks/<int:task_id>/reopen/", task_views.task_reopen, name="task-reopen"),
    path("tasks/<int:task_id>/items/<slug:item>/", task_views.task_proof, name="task-proof"),
    path("orders/", dispatch_views.dispatch_list, name="dispatch-list"),
    path("orders/new/", dispatch_views.dispatch_new, name="dispatch-new"),
    path("orders/<int:order_id>/", dispatch_views.order_page, name="dispatch-order"),
    path("orders/<int:order_id>/<slug:step>/", dispatch_views.order_step, name="dispatch-step"),
]
