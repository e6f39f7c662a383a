"""Let the office fetch the publish package of a notice, and record its appearances."""

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from publicity.downloads import download
from publicity.models import Appearance, Notice, Package
from publicity.package_actions import ask_for_package, record_appearance
from publicity.package_tasks import PACKAGE
from publicity.uploads import TYPES
from shuozhou_mines.errors import Incomplete
from shuozhou_mines.models import Job
from taskforce import permissions

A_DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class AppearanceForm(forms.Form):
    """Take where and when a notice appeared."""

    site = forms.ChoiceField(label="网站", choices=Appearance.Site.choices)
    url = forms.URLField(label="网址", max_length=300, assume_scheme="https")
    starts_on = forms.DateField(label="开始", widget=A_DAY)
    ends_on = forms.DateField(label="结束", widget=A_DAY)
    screenshot = forms.FileField(label="页面截图", help_text="JPG 或 PNG，不超过 10 MB。")


def _mine(request: HttpRequest, notice_id: int) -> Notice:
    counties = permissions.counties_where(request.user, "publish_plan")
    notices = Notice.objects.filter(plan__county__in=counties)
    return get_object_or_404(notices.select_related("plan__county"), pk=notice_id)


@require_http_methods(["GET", "POST"])
def notice_sites(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Show package and appearances of a notice; take a new appearance."""
    notice = _mine(request, notice_id)
    form = AppearanceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        facts = dict(form.cleaned_data)
        facts["screenshot"] = facts["screenshot"].read()
        try:
            record_appearance(notice_id=notice.pk, by=request.user, at=timezone.now(), **facts)
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "已登记，公示页面上列出官网地址。")
            return redirect("notice-sites", notice.pk)
    context = {
        "notice": notice,
        "form": form,
        "package": Package.objects.filter(notice=notice).first(),
        "job": Job.objects.about(notice).filter(kind=PACKAGE).first(),
        "appearances": notice.appearances.select_related("recorded_by"),
    }
    status = 422 if form.is_bound else 200
    return render(request, "publicity/sites.html", context, status=status)


@require_POST
def package_new(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Ask for a package."""
    job = ask_for_package(
        notice_id=_mine(request, notice_id).pk, by=request.user, at=timezone.now()
    )
    return redirect("job", job.pk)


@require_GET
def package_file(request: HttpRequest, notice_id: int) -> HttpResponse | FileResponse:
    """Hand out the package."""
    notice = _mine(request, notice_id)
    package = Package.objects.filter(notice=notice).first()
    if package is None:
        raise Http404
    name = f"{notice.title}-{notice.pk}.zip"
    return download(request, package.file, name=name, content_type="application/zip")


@require_GET
def appearance_screenshot(request: HttpRequest, appearance_id: int) -> HttpResponse | FileResponse:
    """Hand out the screenshot that proves an appearance."""
    row = get_object_or_404(Appearance.objects.select_related("notice"), pk=appearance_id)
    _mine(request, row.notice_id)
    name = f"screenshot-{row.pk}{row.suffix}"
    return download(request, row.screenshot, name=name, content_type=TYPES[row.suffix])
