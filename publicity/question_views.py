"""Let anyone ask about a notice, and the office answer."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from publicity import question_actions
from publicity.limits import TooMany, count, visitor
from publicity.models import Notice, Question
from publicity.objection_forms import AnswerQuestionForm, QuestionForm
from publicity.objection_views import UNSOLVED, is_let_in
from publicity.permissions import for_publishers


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def question_new(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Take a question about one notice."""
    notice = get_object_or_404(Notice, pk=notice_id)
    form = QuestionForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _keep(request, notice, form):
        return render(request, "publicity/question_kept.html", {"notice": notice})
    context = {"notice": notice, "form": form, "puzzle_url": reverse("puzzle")}
    status = 422 if form.is_bound else 200
    return render(request, "publicity/question_new.html", context, status=status)


def _keep(request: HttpRequest, notice: Notice, form: QuestionForm) -> bool:
    if not is_let_in(request):
        form.add_error(None, UNSOLVED)
        return False
    try:
        count("question", most=settings.QUESTIONS_PER_HOUR, who=visitor())
    except TooMany as refusal:
        form.add_error(None, refusal.message)
        return False
    question_actions.ask(notice_id=notice.pk, text=form.cleaned_data["text"], at=timezone.now())
    return True


@require_GET
@for_publishers
def question_desk(request: HttpRequest) -> HttpResponse:
    """List the questions, those that wait first."""
    found = Question.objects.visible_to(request.user).select_related("notice", "answered_by")
    found = found.defer("notice__content")
    waiting = found.filter(state=Question.State.WAITING).order_by("asked_at")
    context = {
        "waiting": waiting[:200],
        "done": found.exclude(state=Question.State.WAITING)[:200],
    }
    return render(request, "publicity/question_desk.html", context)


@require_http_methods(["GET", "POST"])
def question_answer(request: HttpRequest, question_id: int) -> HttpResponse:
    """Answer one question in public."""
    visible = Question.objects.visible_to(request.user).select_related("notice")
    question = get_object_or_404(visible, pk=question_id)
    known = {"public_text": question.public_text, "answer": question.answer}
    form = AnswerQuestionForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        question_actions.answer_question(
            question_id=question.pk, by=request.user, at=timezone.now(), **form.cleaned_data
        )
        messages.success(request, "答复已公开，公示页面现在就能看到。")
        return redirect("question-desk")
    status = 422 if form.is_bound else 200
    context = {"question": question, "form": form}
    return render(request, "publicity/question.html", context, status=status)


@require_POST
def question_decline(request: HttpRequest, question_id: int) -> HttpResponse:
    """Leave one question unpublished."""
    question = get_object_or_404(Question.objects.visible_to(request.user), pk=question_id)
    question_actions.decline_question(question_id=question.pk, by=request.user)
    messages.success(request, "这个问题不公开。")
    return redirect("question-desk")
