"""Read what people type into the rulebook, with a sentence for each mistake."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from rulebook.models import Confidence, RulebookEntry
from standards.terms import ExplorationStage

WHOLE_UNITS = ("天", "个月", "个工作日")
GREATEST = {"%": Decimal(100), "系数": Decimal(1)}
DATE_ERRORS = {"invalid": "日期不对，请写成 2025-12-31 的样子。"}


class EntryForm(forms.Form):
    """Take one entry; the unit says how the value is read, and neither it nor the key changes."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    value = forms.CharField(label="数值", required=False)
    confidence = forms.ChoiceField(
        label="可信程度",
        choices=Confidence.choices,
        help_text="“待核实”的数值不参加判断，相关规则答“缺数据”或“待研判”；核对原文后改为其他三种之一。",
    )
    source = forms.CharField(
        label="来源文件",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="文件全称和文号。",
    )
    clause = forms.CharField(label="条款", required=False, max_length=60)
    valid_from = forms.DateField(
        label="生效日期", required=False, error_messages=DATE_ERRORS,
        widget=forms.DateInput(attrs={"placeholder": "2025-12-31"}),
        help_text="当天起有效；不填表示一直有效。",
    )  # fmt: skip
    valid_to = forms.DateField(
        label="失效日期", required=False, error_messages=DATE_ERRORS,
        widget=forms.DateInput(attrs={"placeholder": "2025-12-31"}),
        help_text="当天仍有效；不填表示继续有效。",
    )  # fmt: skip
    note = forms.CharField(
        label="备注", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, entry: RulebookEntry, follows: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.entry = entry
        self.follows = follows
        self.fields["value"] = _value_field(entry)
        if follows:
            self.fields["valid_from"].required = True
            self.fields["valid_from"].help_text = "新的数值从这一天起有效，原来的数值到前一天为止。"
            self.fields["valid_from"].error_messages["required"] = "请填写新数值从哪一天起有效。"

    def clean_value(self) -> Any:
        """Return the value as the column keeps it; None when it is left open."""
        text: str = self.cleaned_data["value"].strip()
        if not text:
            return None
        match self.entry.kind:
            case "date":
                return _day(text)
            case "list":
                return _parts(text)
            case "text":
                return text
        return _number(text, self.entry.unit)

    def clean(self) -> dict[str, Any]:
        """Refuse a value without a source, an open value that claims to be known, a turned term."""
        cleaned = super().clean() or {}
        known = cleaned.get("confidence") not in (None, Confidence.HEARSAY)
        if known and "value" in cleaned and cleaned["value"] is None:
            self.add_error("value", "没有数值的条目只能标为“待核实”。请填写数值，或改回“待核实”。")
        if known and not cleaned.get("source"):
            self.add_error("source", "请写明来源文件；没有可靠来源的，可信程度选“待核实”。")
        confirmed = known and self.entry.confidence == Confidence.HEARSAY
        if confirmed and not cleaned.get("clause"):
            self.add_error("clause", "核实一个条目时，请写明数值在来源文件的哪一条。")
        starts, ends = cleaned.get("valid_from"), cleaned.get("valid_to")
        if starts and ends and ends < starts:
            self.add_error("valid_to", "失效日期不能早于生效日期。")
        return cleaned

    def changes(self) -> dict[str, Any]:
        """Return the values to store, without the mark of what was seen."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}


def initial_of(entry: RulebookEntry) -> dict[str, Any]:
    """Return what the form shows of an entry before anything is typed."""
    value = "\n".join(entry.value) if isinstance(entry.value, list) else entry.value
    return {
        "seen": entry.entered_at.isoformat(),
        "value": "" if value is None else value,
        "confidence": entry.confidence,
        "source": entry.source,
        "clause": entry.clause,
        "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
        "note": entry.note,
    }


def _value_field(entry: RulebookEntry) -> forms.Field:
    if entry.key.startswith("exploration."):
        stages = [("", "（未定）"), *ExplorationStage.choices()]
        return forms.ChoiceField(
            label="数值", choices=stages, required=False,
            error_messages={"invalid_choice": "请从列出的勘查程度里选一种。"},
        )  # fmt: skip
    if entry.kind == "list":
        return forms.CharField(
            label="清单", required=False, max_length=4000, help_text="每行一项。",
            widget=forms.Textarea(attrs={"rows": 8}),
        )  # fmt: skip
    if entry.kind == "date":
        return forms.CharField(
            label="日期", required=False, max_length=20, help_text="写成 2025-12-31 的样子。"
        )
    if entry.kind == "text":
        return forms.CharField(label="文本", required=False, max_length=200)
    attrs = {"inputmode": "decimal", "unit": entry.unit}
    return forms.CharField(
        label="数值", required=False, max_length=20, widget=forms.TextInput(attrs=attrs)
    )


def _number(text: str, unit: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        message = f"“{text}”不是数字。请只填数字，例如 50；单位“{unit}”已在栏内。"
        raise forms.ValidationError(message) from None
    if not number.is_finite() or number < 0:
        raise forms.ValidationError("请填不小于 0 的数字。")
    if unit in WHOLE_UNITS and number != number.to_integral_value():
        raise forms.ValidationError(f"单位是“{unit}”，请填整数。")
    greatest = GREATEST.get(unit, Decimal(1_000_000))
    if number > greatest:
        raise forms.ValidationError(f"单位是“{unit}”，数值不能大于 {greatest}。")
    return f"{number:f}"


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise forms.ValidationError(f"“{text}”不是日期，请写成 2025-12-31 的样子。") from None


def _parts(text: str) -> list[str]:
    parts = [line.strip() for line in text.splitlines() if line.strip()]
    twice = {part for part in parts if parts.count(part) > 1}
    if twice:
        raise forms.ValidationError(f"“{'、'.join(sorted(twice))}”写了两次，请删去一个。")
    return parts
