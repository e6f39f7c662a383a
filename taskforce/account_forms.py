"""Ask for what accounts, roles and tokens need."""

from django import forms
from django.utils import timezone

from taskforce.models import Appointment, County, Organization
from taskforce.roles import RIGHTS, Role


class AccountForm(forms.Form):
    """Ask for a new account; its holder sets the password."""

    username = forms.RegexField(
        r"^[A-Za-z0-9._@+-]+$", label="账号", max_length=60, min_length=3,
        help_text="一人一号，字母、数字和 . _ - @ +；开通后不能改。",
        error_messages={"invalid": "账号只能用字母、数字和 . _ - @ +。"},
    )  # fmt: skip
    name = forms.CharField(label="姓名", max_length=30)
    organization = forms.ModelChoiceField(
        Organization.objects.all(), label="单位", required=False, empty_label="不属于名册上的单位"
    )
    email = forms.EmailField(label="电子邮箱", required=False)


class GrantForm(forms.Form):
    """Ask which role, for which place, from when to when, and on what basis."""

    role = forms.ChoiceField(label="角色", choices=Role.choices())
    county = forms.ModelChoiceField(
        County.objects.all(), label="县（市、区）", required=False, empty_label="全市",
        help_text="县级角色必须选县（市、区）；市级角色选“全市”。",
    )  # fmt: skip
    starts_on = forms.DateField(
        label="起", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"), initial=timezone.localdate
    )
    ends_on = forms.DateField(
        label="止", required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        help_text="到这一天为止，次日自动收回。评审专家和督导人员请写明。",
    )  # fmt: skip
    appointment = forms.ModelChoiceField(
        Appointment.objects.none(), label="依据的任职", required=False, empty_label="无",
        help_text="选了任职的，任职截止后角色随之收回。",
    )  # fmt: skip
    reason = forms.CharField(label="依据", max_length=200, help_text="例如任职文件或书面申请。")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        posts = self.fields["appointment"]
        assert isinstance(posts, forms.ModelChoiceField)  # noqa: S101  for the type checker
        posts.queryset = Appointment.objects.on(timezone.localdate()).select_related("task_force")

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        role, county = given.get("role"), given.get("county")
        if role and RIGHTS[Role(role)].of_one_county is not (county is not None):
            self.add_error("county", "县级角色必须选县（市、区），市级角色请选“全市”。")
        starts, ends = given.get("starts_on"), given.get("ends_on")
        if starts and ends and ends < starts:
            self.add_error("ends_on", "截止日期不能早于起始日期。")
        return given
