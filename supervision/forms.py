"""Shape what people type about reports and bulletins."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField

from supervision.actions import figures_of
from supervision.bulletins import quarter_before, quarter_name
from supervision.consistency import BATCHES, BatchFigures, contradictions
from supervision.models import Bulletin, MonthlyReport
from supervision.prefill import Known

LABELS = {
    "task": "任务数",
    "done": "累计完成",
    "done_this_month": "本月新增完成",
    "under_way": "进行中",
    "not_started": "未启动",
    "sand_done": "砂石土类完成",
}
MOST_MINES = 9999
QUARTERS_TO_CHOOSE_FROM = 8


class ReportForm(forms.Form):
    """Take a month's figures, four batches in one form, and judge them together."""

    problems = forms.CharField(
        label="存在问题", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
    next_steps = forms.CharField(
        label="下步措施", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(
        self, data: Any = None, *, report: MonthlyReport, facts: Known, **kwargs: Any
    ) -> None:
        self.report, self.facts = report, facts
        rows = {row.kind: figures_of(row) for row in report.rows.all()}
        initial: dict[str, Any] = {
            "problems": report.problems,
            "next_steps": report.next_steps,
            "seen": report.times_saved,
        }
        for kind, figures in rows.items():
            initial |= {f"{kind}_{name}": value for name, value in asdict(figures).items()}
        for (county, kind), number in facts.targets.items():
            if county == report.county_id:
                initial[f"{kind}_task"] = number
        super().__init__(data, initial=initial, **kwargs)
        for kind in BATCHES:
            self._add_batch(kind.value)

    def _add_batch(self, kind: str) -> None:
        is_set_by_province = (self.report.county_id, kind) in self.facts.targets
        for name, label in LABELS.items():
            self.fields[f"{kind}_{name}"] = forms.IntegerField(
                label=label,
                min_value=0,
                max_value=MOST_MINES,
                disabled=name == "task" and is_set_by_province,
                widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                error_messages={
                    "required": "请填数字，没有的填 0。",
                    "invalid": "请只填整数，单位“座”已在框里。",
                    "min_value": "不能是负数。",
                    "max_value": f"不能大于 {MOST_MINES}。",
                },
            )
        self.fields[f"{kind}_note"] = forms.CharField(label="说明", required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        """Set each contradiction beside the figure that it is about."""
        cleaned: dict[str, Any] = super().clean() or {}
        for kind in BATCHES:
            figures = self._figures(kind.value, cleaned)
            if figures is None:
                continue
            last = self.facts.last.get((self.report.county_id, kind.value))
            wrong = contradictions(figures, last.done if last else None)
            for name, sentence in wrong.items():
                self.add_error(f"{kind.value}_{name}", sentence)
        return cleaned

    def _figures(self, kind: str, cleaned: dict[str, Any]) -> BatchFigures | None:
        names = [*LABELS, "note"]
        if any(f"{kind}_{name}" not in cleaned for name in names):
            return None
        return BatchFigures(**{name: cleaned[f"{kind}_{name}"] for name in names})

    def figures(self) -> dict[str, BatchFigures]:
        """Return the figures of a valid form by batch."""
        found = {kind.value: self._figures(kind.value, self.cleaned_data) for kind in BATCHES}
        return {kind: figures for kind, figures in found.items() if figures is not None}

    def batches(self) -> Iterator[dict[str, Any]]:
        """Yield what the page shows of each batch: its fields and where its figures come from."""
        for kind in BATCHES:
            yield {
                "kind": kind.value,
                "label": kind.label,
                "fields": [self[f"{kind.value}_{name}"] for name in LABELS],
                "note": self[f"{kind.value}_note"],
                "sources": self.facts.sources(self.report.county_id, kind.value),
            }

    def problems_found(self) -> Iterator[tuple[str, BoundField, str]]:
        """Yield (batch, field, sentence) for the summary above the form."""
        for batch in self.batches():
            for field in (*batch["fields"], batch["note"]):
                for sentence in field.errors:
                    yield batch["label"], field, str(sentence)
        for name in ("problems", "next_steps"):
            for sentence in self[name].errors:
                yield "", self[name], str(sentence)


class ReportFileForm(forms.Form):
    """Take the filled workbook of a month's report."""

    workbook = forms.FileField(
        label="填好的月报表",
        error_messages={"required": "请选择填好的月报表（xlsx）。", "empty": "文件是空的。"},
    )


class ReturnForm(forms.Form):
    """Take the office's words for a report that is sent back."""

    note = forms.CharField(
        label="退回意见",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明哪个数、哪句话要改，怎样改。",
        error_messages={"required": "请写明退回的原因和要改的内容。"},
    )


class CorrectForm(forms.Form):
    """Take the reason for correcting a submitted report."""

    reason = forms.CharField(
        label="更正原因",
        max_length=200,
        help_text="更正版会注明原因；签发前，已报送的一版继续有效。",
        error_messages={"required": "请写明更正的原因。"},
    )


class QuarterForm(forms.Form):
    """Choose the quarter to draft a bulletin for."""

    quarter = forms.ChoiceField(label="季度")

    def __init__(self, data: Any = None, *, today: date, newest: date, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        choices = []
        year, quarter = today.year, (today.month + 2) // 3
        for _ in range(QUARTERS_TO_CHOOSE_FROM):
            choices.append((f"{year}-{quarter}", quarter_name(year, quarter)))
            year, quarter = quarter_before(year, quarter)
        field = self.fields["quarter"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = choices
        field.initial = f"{newest.year}-{(newest.month + 2) // 3}"

    def chosen(self) -> tuple[int, int]:
        """Return year and quarter of a valid form."""
        year, _, quarter = self.cleaned_data["quarter"].partition("-")
        return int(year), int(quarter)


class ParagraphForm(forms.Form):
    """Take the office's words for one paragraph; empty leaves it out."""

    text = forms.CharField(
        label="文字",
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="每行印成一段；留空则不印这一段。",
    )


class LayoutForm(forms.ModelForm):  # type: ignore[type-arg]
    """Take the head and to whom a bulletin goes."""

    class Meta:
        model = Bulletin
        fields: ClassVar = ["head", "addressees", "copies_to", "copies"]
        help_texts: ClassVar = {
            "head": "“文件”印“朔州市非煤行业…办公室文件”和文号；“简报”印简报名称和期号。",
            "copies_to": "印在版记里；不抄送就空着。",
            "copies": "简报版记里印“共印…份”；可以空着。",
        }
        error_messages: ClassVar = {"addressees": {"required": "请填写主送机关。"}}


class ApprovalForm(forms.Form):
    """Take an approval that a leader gave on paper."""

    approver = forms.CharField(
        label="签批的领导",
        max_length=40,
        help_text="姓名和职务，按发文稿纸上的签名填写。",
        error_messages={"required": "请填写签批的领导姓名和职务。"},
    )
    approved_on = forms.DateField(
        label="签批日期",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": "请填写签批日期。",
            "invalid": "请按 2025-07-05 的样子填写日期。",
        },
    )


class IssueForm(forms.Form):
    """Take number and day of issue."""

    number = forms.IntegerField(
        label="文号或期号",
        min_value=1,
        max_value=999,
        help_text="文件印成“朔非煤整治办〔年〕n号”，简报印成“年第n期”；年按印发日期。",
        error_messages={"required": "请填序号，例如 1。", "invalid": "请只填整数，例如 1。"},
    )
    issued_on = forms.DateField(
        label="印发日期",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "请按 2025-07-05 的样子填写日期。"},
    )
    is_public = forms.BooleanField(label="印发后在公众网站公开", required=False, initial=True)
