"""Shape what is typed on a visit, in answer to a problem, and when a team is formed."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from mines.models import Mine
from supervision.inspection_actions import Position, ProblemFound
from supervision.inspection_models import PURPOSES, InspectionTeam
from supervision.inspection_steps import Conclusion, ProblemStep, Severity
from taskforce.models import Organization, User

BLANK_PROBLEMS = 3
A_DAY = {"invalid": "请按 2025-07-05 的样子填写日期。", "required": "请填写日期。"}


def day_field(label: str, **more: Any) -> forms.DateField:
    """Return a field for a day, typed or chosen."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, error_messages=A_DAY, **more)


def words_field(label: str, rows: int = 3, **more: Any) -> forms.CharField:
    """Return a field for some sentences."""
    more.setdefault("max_length", 4000)
    more.setdefault("error_messages", {"required": f"请填写{label}。"})
    return forms.CharField(label=label, widget=forms.Textarea(attrs={"rows": rows}), **more)


class SeveralFiles(forms.FileInput):
    """Let several photos be chosen at once; a phone offers its camera."""

    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Take any number of files; what they hold is judged by the action."""

    widget = SeveralFiles(attrs={"multiple": True, "accept": "image/jpeg,image/png"})

    def clean(self, data: Any, initial: Any = None) -> list["UploadedFile[bytes]"]:
        """Return the files as a list; empty when none was chosen."""
        chosen = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(PhotosField, self).clean(each, initial) for each in chosen]


POSITION = re.compile(r"(-?\d{1,2}\.\d{1,6}) (-?\d{1,3}\.\d{1,6}) (\d{1,6})")
LONGEST_MOMENT = 14
PHOTO_HINT = "JPEG 或 PNG，一次最多 9 张，每张不超过 10 MB。"


class SeveralFilesForm(forms.Form):
    """Read all files of the field `photos`, not only the last one."""

    def _clean_fields(self) -> None:
        several = getattr(self.files, "getlist", None)
        if several is not None and "photos" in self.fields:
            name = self.add_prefix("photos")
            self.files = {**self.files.dict(), name: several(name)}  # type: ignore[assignment]
        super()._clean_fields()  # type: ignore[misc]


class VisitForm(SeveralFilesForm):
    """Take the record of a visit, on site, with thumbs."""

    draft_key = forms.UUIDField(widget=forms.HiddenInput)
    team = forms.ModelChoiceField(
        label="督导验收组",
        queryset=InspectionTeam.objects.none(),
        empty_label=None,
        error_messages={"required": "请选择你所在的组。"},
    )
    purpose = forms.ChoiceField(label="类别", choices=PURPOSES, widget=forms.RadioSelect)
    visited_on = day_field("日期")
    mine = forms.ModelChoiceField(
        label="矿山",
        queryset=Mine.objects.none(),
        required=False,
        empty_label="不针对单座矿山",
        help_text="验收必须选择矿山。",
    )
    place = forms.CharField(label="地点", max_length=80, required=False)
    conclusion = words_field("检查情况", rows=5)
    acceptance = forms.ChoiceField(
        label="验收结论",
        choices=[("", "不是验收"), *Conclusion.choices()],
        required=False,
    )
    photos = PhotosField(label="现场照片", required=False, help_text=PHOTO_HINT)
    taken_at = forms.CharField(required=False, max_length=400, widget=forms.HiddenInput)
    position = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def clean_taken_at(self) -> list[datetime]:
        """Return the moments the phone gives, in milliseconds since 1970; none if unreadable."""
        given = self.cleaned_data["taken_at"].split()
        if not all(each.isdigit() and len(each) <= LONGEST_MOMENT for each in given):
            return []
        return [datetime.fromtimestamp(int(each) / 1000, tz=UTC) for each in given]

    def clean_position(self) -> Position | None:
        """Return latitude, longitude and accuracy; None when they were not given."""
        given = self.cleaned_data["position"]
        if not given:
            return None
        found = POSITION.fullmatch(given)
        if found is None or abs(Decimal(found[1])) > 90 or abs(Decimal(found[2])) > 180:
            raise forms.ValidationError("附上的位置读不出来。请重新附上，或不附位置再报送。")
        return Position(Decimal(found[1]), Decimal(found[2]), int(found[3]))

    def __init__(
        self,
        *args: Any,
        teams: QuerySet[InspectionTeam],
        mines: QuerySet[Mine],
        **kwargs: Any,
    ) -> None:
        kwargs["initial"] = {"draft_key": uuid4(), "purpose": "guide", **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        for name, choices in (("team", teams), ("mine", mines)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
            field.queryset = choices


class ProblemForm(forms.Form):
    """Take one problem; an empty one is none."""

    text = words_field("问题")
    severity = forms.ChoiceField(label="程度", choices=Severity.choices(), initial="light")
    clause = forms.CharField(
        label="依据条款", max_length=30, help_text="例如：四（二）5。",
        error_messages={"required": "请写明依据《工作方案》或法规的哪一条。"},
    )  # fmt: skip
    measure = words_field("整改措施")
    responsible_unit = forms.CharField(
        label="责任单位", max_length=60, error_messages={"required": "请写明由谁整改。"}
    )
    due_on = day_field("整改时限")

    def found(self) -> ProblemFound:
        """Return the problem of a valid form."""
        facts = dict(self.cleaned_data)
        return ProblemFound(severity=Severity(facts.pop("severity")), **facts)


ProblemForms = forms.formset_factory(
    ProblemForm,
    extra=BLANK_PROBLEMS,
    max_num=20,
    validate_max=True,
)


def problems_in(blocks: "forms.BaseFormSet[ProblemForm]") -> list[ProblemFound]:
    """Return the problems of valid blocks; those left empty do not count."""
    return [form.found() for form in blocks.forms if form.has_changed()]


class StepForm(SeveralFilesForm):
    """Take the words, and where the step wants them the photos and the new day."""

    def __init__(self, *args: Any, step: ProblemStep, **kwargs: Any) -> None:
        kwargs["auto_id"] = f"{step.code}_%s"
        super().__init__(*args, **kwargs)
        self.fields["note"] = words_field(step.note_label)
        if step.sets_due:
            self.fields["due_on"] = day_field("新的整改时限", required=False)
        if step.takes_photos:
            self.fields["photos"] = PhotosField(label="照片", required=False, help_text=PHOTO_HINT)


class TeamForm(forms.Form):
    """Take a team's name and period."""

    name = forms.CharField(label="名称", max_length=40, help_text="例如：第一督导组。")
    starts_on = day_field("起")
    ends_on = day_field("止")


class MemberForm(forms.Form):
    """Take one member with the unit the person is drawn from."""

    user = forms.ModelChoiceField(
        label="账号",
        queryset=User.objects.none(),
        required=False,
        empty_label="没有账号，只登记姓名",
        help_text="有督导权限的账号才能记录督导验收。",
    )
    name = forms.CharField(label="姓名", max_length=30, required=False)
    home_unit = forms.ModelChoiceField(
        label="抽调单位", queryset=Organization.objects.none(), required=False
    )
    is_leader = forms.BooleanField(label="任组长", required=False)

    def __init__(
        self, *args: Any, users: QuerySet[User], units: QuerySet[Organization], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        chosen_from: dict[str, QuerySet[Any]] = {"user": users, "home_unit": units}
        for name, choices in chosen_from.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
            field.queryset = choices

    def clean(self) -> dict[str, Any]:
        """Take name and unit from the account where they are not typed."""
        cleaned: dict[str, Any] = super().clean() or {}
        user = cleaned.get("user")
        if user is not None:
            cleaned["name"] = cleaned.get("name") or user.name
            cleaned["home_unit"] = cleaned.get("home_unit") or user.organization
        if not cleaned.get("name"):
            self.add_error("name", "请填写姓名，或选择账号。")
        return cleaned


def any_errors(forms_shown: Sequence[forms.Form | None]) -> bool:
    """Tell whether one of the forms was refused."""
    return any(form is not None and bool(form.errors) for form in forms_shown)
