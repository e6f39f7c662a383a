"""Map the addresses of documents and comments, under /staff/plans/."""

from django.urls import path

from plans import attachment_views, comment_views

urlpatterns = [
    path("<int:plan_id>/attachments/", attachment_views.plan_attachments, name="plan-attachments"),
    path(
        "attachments/<int:attachment_id>/file/",
        attachment_views.attachment_file,
        name="attachment-file",
    ),
    path(
        "attachments/<int:attachment_id>/withdraw/",
        attachment_views.attachment_withdraw,
        name="attachment-withdraw",
    ),
    path("<int:plan_id>/comments/", comment_views.plan_comments, name="plan-comments"),
    path("comments/<int:comment_id>/answer/", comment_views.comment_answer, name="comment-answer"),
    path(
        "comments/<int:comment_id>/withdraw/",
        comment_views.comment_withdraw,
        name="comment-withdraw",
    ),
]
