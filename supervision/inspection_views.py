"""Show visits: the list, the record made on site, one visit, teams, photos, acceptances."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mines.models import Mine
from shuozhou_mines.errors import Refused
from supervision import inspection_actions as actions
from supervision.inspection_forms import (
    MemberForm,
    ProblemForm,
    ProblemForms,
    TeamForm,
    VisitForm,
    any_errors,
    problems_in,
)
from supervision.inspection_models import Inspection, InspectionTeam, Photo
from supervision.inspection_steps import Conclusion, ProblemState
from supervision.problem_views import problem_row
from supervision.sections import check_follows, section_tabs
from taskforce import permissions
from taskforce.models import Organization, User
from taskforce.roles import Role

PER_PAGE = 50
TONES = {Conclusion.PASSED: "done", Conclusion.MEND: "waiting", Conclusion.FAILED: "stopped"}
TYPES = {"jpg": "image/jpeg", "png": "image/png"}


@require_GET
def inspection_list(request: HttpRequest) -> HttpResponse:
    """List the visits this user may see, the newest first."""
    check_follows(request.user)
    today = timezone.localdate()
    visits = (
        Inspection.objects.visible_to(request.user)
        .select_related("county", "mine", "team", "by")
        .annotate(
            problems_count=Count("problems"),
            open_count=Count("problems", filter=~Q(problems__state=ProblemState.CLOSED)),
        )
        .order_by("-visited_on", "-pk")
    )
    page = Paginator(visits, PER_PAGE).get_page(request.GET.get("page"))
    teams = InspectionTeam.objects.on(today).with_member(request.user)
    counties = list(permissions.counties_where(request.user, "inspect"))
    context = {
        "tabs": section_tabs("inspection-list"),
        "page_obj": page,
        "counties": counties if teams.exists() else [],
        "records": bool(counties),
        "in_team": teams.exists(),
    }
    return render(request, "supervision/inspection_list.html", context)


@require_http_methods(["GET", "POST"])
def inspection_new(request: HttpRequest, county_code: str) -> HttpResponse:
    """Take the record of a visit to a county, on site if need be."""
    county = get_object_or_404(permissions.counties_where(request.user, "inspect"), pk=county_code)
    today = timezone.localdate()
    sent = request.method == "POST"
    form = VisitForm(
        request.POST if sent else None,
        request.FILES if sent else None,
        teams=InspectionTeam.objects.with_member(request.user),
        mines=Mine.objects.filter(county=county).order_by("registry_no"),
        initial={"visited_on": today},
    )
    blocks = ProblemForms(request.POST if sent else None, prefix="problems")
    if sent and form.is_valid() and blocks.is_valid():
        facts = dict(form.cleaned_data)
        team = facts.pop("team")
        try:
            visit = actions.record_visit(
                team_id=team.pk,
                county=county,
                found=problems_in(blocks),
                by=request.user,
                at=timezone.now(),
                **facts,
            )
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "督导验收记录已存。")
            return redirect(f"{reverse('inspection', args=[visit.pk])}?sent={visit.draft_key}")
    context = {"county": county, "form": form, "blocks": blocks}
    wrong = any_errors([form, *blocks.forms]) or (sent and not blocks.is_valid())
    return render(request, "supervision/inspection_new.html", context, status=422 if wrong else 200)


@require_http_methods(["GET", "POST"])
def inspection(request: HttpRequest, inspection_id: int) -> HttpResponse:
    """Show one visit with its photos and problems; its team adds problems here."""
    visit = get_object_or_404(
        Inspection.objects.visible_to(request.user).select_related(
            "county", "mine", "team", "by__organization"
        ),
        pk=inspection_id,
    )
    adds = _may_add(request.user, visit)
    form = ProblemForm(request.POST if request.method == "POST" else None) if adds else None
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            try:
                actions.add_problem(
                    inspection_id=visit.pk, found=form.found(), by=request.user, at=timezone.now()
                )
            except Refused as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, "问题已记入。")
                return redirect("inspection", visit.pk)
    today = timezone.localdate()
    context = {
        "visit": visit,
        "tone": TONES[Conclusion(visit.acceptance)] if visit.acceptance else "",
        "photos": visit.photos.filter(event=None),
        "rows": [
            problem_row(each, today)
            for each in visit.problems.select_related("inspection__county", "inspection__mine")
        ],
        "form": form,
        "members": visit.team.members.select_related("home_unit") if visit.team else [],
    }
    return render(
        request,
        "supervision/inspection.html",
        context,
        status=422 if any_errors([form]) else 200,
    )


def _may_add(user: Any, visit: Inspection) -> bool:
    return (
        permissions.can(user, "inspect", visit.county_id)
        and visit.team is not None
        and visit.team.members.filter(user=user.pk).exists()
    )


@require_GET
def photo(request: HttpRequest, photo_id: int) -> FileResponse:
    """Send one photo to those who may see its visit."""
    shown = get_object_or_404(
        Photo.objects.filter(inspection__in=Inspection.objects.visible_to(request.user)),
        pk=photo_id,
    )
    if not shown.file.storage.exists(shown.file.name or ""):
        raise Http404
    return FileResponse(
        shown.file.open("rb"),
        content_type=TYPES[shown.kind],
        filename=f"{shown.inspection.visited_on}-{shown.pk}.{shown.kind}",
    )


@require_GET
def acceptance_list(request: HttpRequest) -> HttpResponse:
    """List the newest acceptance of each mine (W-13)."""
    check_follows(request.user)
    newest = (
        Inspection.objects.visible_to(request.user)
        .filter(purpose="accept", mine__isnull=False)
        .order_by("mine_id", "-visited_on", "-pk")
        .distinct("mine_id")
    )
    visits = list(
        Inspection.objects.filter(pk__in=newest.values("pk"))
        .select_related("county", "mine", "team")
        .order_by("county__order", "mine__registry_no")
    )
    counts = {each: sum(visit.acceptance == each for visit in visits) for each in Conclusion}
    context = {
        "tabs": section_tabs("acceptance-list"),
        "rows": [{"visit": v, "tone": TONES.get(Conclusion(v.acceptance), "")} for v in visits],
        "figures": [
            {"label": each.label, "value": counts[each], "unit": "座"} for each in Conclusion
        ],
    }
    return render(request, "supervision/acceptance_list.html", context)


@require_http_methods(["GET", "POST"])
def team_list(request: HttpRequest) -> HttpResponse:
    """List the teams; the office forms new ones."""
    check_follows(request.user)
    keeps = permissions.can_city(request.user, "keep_roster")
    form = TeamForm(request.POST if request.method == "POST" else None) if keeps else None
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            try:
                made = actions.form_team(by=request.user, **form.cleaned_data)
            except Refused as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"已组建{made}，请加入成员。")
                return redirect("inspection-teams")
    return _team_page(request, form, None)


@require_POST
def team_member(request: HttpRequest, team_id: int) -> HttpResponse:
    """Take one more person into a team."""
    if not permissions.can_city(request.user, "keep_roster"):
        raise Http404
    team = get_object_or_404(InspectionTeam, pk=team_id)
    form = _member_form(team, request.POST)
    if form.is_valid():
        try:
            member = actions.add_member(team_id=team.pk, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"{member}已加入{team}。")
            return redirect("inspection-teams")
    return _team_page(request, TeamForm(), (team.pk, form))


def _member_form(team: InspectionTeam, data: Any = None) -> MemberForm:
    return MemberForm(
        data,
        users=_inspectors(),
        units=Organization.objects.filter(kind__in=("office", "member_unit")),
        auto_id=f"team{team.pk}_%s",
    )


def _inspectors() -> QuerySet[User]:
    return User.objects.filter(
        is_active=True, groups__name=f"{Role.INSPECTOR.value}:city"
    ).order_by("name")


def _team_page(
    request: HttpRequest, form: TeamForm | None, refused: tuple[int, MemberForm] | None
) -> HttpResponse:
    today = timezone.localdate()
    keeps = permissions.can_city(request.user, "keep_roster")
    rows = []
    for team in InspectionTeam.objects.prefetch_related("members__home_unit", "members__user"):
        member_form = None
        if keeps and team.ends_on >= today:
            member_form = _member_form(team)
        if refused is not None and refused[0] == team.pk:
            member_form = refused[1]
        rows.append(
            {
                "team": team,
                "members": list(team.members.all()),
                "at_work": team.is_at_work(today),
                "form": member_form,
                "is_wrong": bool(member_form and member_form.errors),
            }
        )
    context = {"rows": rows, "form": form}
    wrong = any_errors([form, refused[1] if refused else None])
    return render(
        request, "supervision/inspection_teams.html", context, status=422 if wrong else 200
    )
