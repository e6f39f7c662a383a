"""Shape dispatches, orders and meetings as they are typed."""

from typing import TYPE_CHECKING, Any

from django import forms

from supervision.inspection_forms import day_field, words_field
from supervision.inspection_models import Problem
from supervision.meeting_models import PRESENCE
from taskforce.models import Organization

WORKING_UNITS = ("office", "member_unit", "county")


def units() -> Any:
    """Return the bodies that may be told to do something."""
    return Organization.objects.filter(kind__in=WORKING_UNITS).order_by("order", "pk")


if TYPE_CHECKING:
    _Several = forms.ModelMultipleChoiceField[Organization]
else:
    _Several = forms.ModelMultipleChoiceField


class UnitChoice(_Several):
    """Choose bodies by their short names."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.short_name)


class DispatchForm(forms.Form):
    """Take what is to be done, by whom and by when."""

    title = forms.CharField(label="事项", max_length=80)
    text = words_field("要求", rows=5)
    due_on = day_field("办理时限")
    units = UnitChoice(
        label="承办单位",
        queryset=Organization.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选择一个承办单位。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["units"].queryset = units()  # type: ignore[attr-defined]


class NoteForm(forms.Form):
    """Take the words of a step."""

    def __init__(self, *args: Any, label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if label:
            self.fields["note"] = words_field(label)


class MeetingForm(forms.Form):
    """Take a meeting's name, day and place, and the open problems it is to discuss."""

    title = forms.CharField(label="名称", max_length=120, help_text="例如：第三次成员单位会议。")
    held_on = day_field("日期")
    place = forms.CharField(label="地点", max_length=60, required=False)
    chair = forms.CharField(label="主持", max_length=60, required=False)
    problems = forms.ModelMultipleChoiceField(
        label="列入议程的未销号问题",
        queryset=Problem.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, problems: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["problems"].queryset = problems  # type: ignore[attr-defined]


class AgendaForm(forms.Form):
    """Take one item of the agenda."""

    text = forms.CharField(label="议题", max_length=200)


class AttendeeForm(forms.Form):
    """Take who came for a unit."""

    unit = forms.ModelChoiceField(label="单位", queryset=Organization.objects.none())
    name = forms.CharField(label="姓名", max_length=30, required=False)
    presence = forms.ChoiceField(label="到会", choices=PRESENCE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = Organization.objects.order_by(  # type: ignore[attr-defined]
            "order", "pk"
        )


class DecisionForm(forms.Form):
    """Take one decision with its owner and due day."""

    text = words_field("议定事项", max_length=1000)
    unit = forms.ModelChoiceField(label="责任单位", queryset=Organization.objects.none())
    due_on = day_field("时限")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units()  # type: ignore[attr-defined]


class MinutesForm(forms.Form):
    """Take the words of the minutes."""

    minutes = words_field("纪要正文", rows=10, max_length=20000)
