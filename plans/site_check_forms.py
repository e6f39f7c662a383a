"""Shape what people fill in about a department's 核查意见."""

from collections.abc import Sequence
from typing import Any

from django import forms

from plans.site_check_models import SITE_CHECK_TEXT_LENGTH
from standards.terms import OpinionOutcome

Choices = Sequence[tuple[str, str]]
GIVEN = (OpinionOutcome.AGREED, OpinionOutcome.CONDITIONAL, OpinionOutcome.REFUSED)


class SiteCheckForm(forms.Form):
    """Take a signed opinion: unit, number, day, conclusion, scan, areas and layers."""

    area_codes = forms.MultipleChoiceField(
        label="整合区",
        widget=forms.CheckboxSelectMultiple,
        help_text="意见针对这些整合区现在的范围；以后范围有变动，须重新核查。",
        error_messages={"required": "请选择核查意见针对的整合区。"},
    )
    department = forms.ChoiceField(label="部门")
    unit = forms.CharField(
        label="出具单位", max_length=80, help_text="盖章单位全称，如：平鲁区林业局。"
    )
    document_number = forms.CharField(label="文号", max_length=80)
    signed_on = forms.DateField(
        label="出具日期",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "请按 2026-05-30 的样子填写日期。"},
    )
    outcome = forms.ChoiceField(
        label="结论",
        choices=[(each.value, each.label) for each in GIVEN],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择同意、有条件同意或不同意。"},
    )
    text = forms.CharField(
        label="理由或条件",
        required=False,
        max_length=SITE_CHECK_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="不同意或有条件同意的必须写明。",
    )
    layers = forms.MultipleChoiceField(
        label="代替的管控图层",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="意见写明已核查、本系统没有或不能入库的图层；同意即表示不压占。",
    )
    scan = forms.FileField(
        label="扫描件",
        allow_empty_file=True,
        help_text="盖章原件的 PDF、JPG 或 PNG，不超过 10 MB。涉密件不得上传。",
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}),
    )

    def __init__(
        self, *given: Any, areas: Choices, departments: Sequence[str], layers: Sequence[str],
        **named: Any,
    ) -> None:  # fmt: skip
        super().__init__(*given, **named)
        self._choose("area_codes", areas)
        self._choose("department", [(name, name) for name in departments])
        self._choose("layers", [(name, name) for name in layers])

    def _choose(self, name: str, choices: Choices) -> None:
        self.fields[name].choices = list(choices)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for words wherever the answer is not a plain yes."""
        cleaned = super().clean() or {}
        agreed = cleaned.get("outcome") in (None, OpinionOutcome.AGREED)
        if not agreed and not (cleaned.get("text") or "").strip():
            self.add_error("text", "不同意或有条件同意的，请写明理由或条件。")
        return cleaned
