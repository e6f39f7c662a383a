"""Shape what people choose and type on the findings of a plan."""

from collections.abc import Sequence
from typing import Any

from django import forms

from plans.check_models import RULING_TEXT_LENGTH, Ruling

Choices = Sequence[tuple[str, str]]


class FindingFilterForm(forms.Form):
    """Narrow the findings by rule, mine, area or words; anything unknown is no filter."""

    rule = forms.ChoiceField(label="规则", required=False)
    mine = forms.ChoiceField(label="矿山", required=False)
    area = forms.ChoiceField(label="整合区", required=False)
    q = forms.CharField(label="文字", required=False, max_length=60)

    def __init__(
        self, *given: Any, rules: Choices, mines: Choices, areas: Choices, **named: Any
    ) -> None:
        super().__init__(*given, **named)
        for name, choices in (("rule", rules), ("mine", mines), ("area", areas)):
            self.fields[name].choices = [("", "全部"), *choices]  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, str]:
        """Return the filters that can be used."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class RequestForm(forms.Form):
    """Take what a county says when it puts a finding before the office."""

    note = forms.CharField(
        label="情况说明",
        max_length=RULING_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明实际情况、已有的材料和希望怎样核定。",
        error_messages={"required": "请写明情况和希望怎样核定，专班办公室才能办理。"},
    )


class RulingForm(forms.Form):
    """Take a decision on a finding; `seen` is the newest ruling that the page showed."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    decision = forms.ChoiceField(
        label="认定",
        choices=Ruling.Decision.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择认定符合、接受偏差或认定不符合。"},
    )
    reason = forms.CharField(
        label="理由",
        max_length=RULING_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "请写明理由，县（市、区）和评审人员都会看到。"},
    )
    basis_document = forms.CharField(
        label="依据文件",
        max_length=200,
        help_text="文件名称和文号，例如：市应急管理局核查意见（朔应急函〔2026〕3号）。",
        error_messages={"required": "请写明依据文件的名称和文号。"},
    )
