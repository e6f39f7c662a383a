"""Shape what people type on the pages of a plan."""

from typing import Any

from django import forms

from plans.models import Opinion
from plans.review_models import OPINION_TEXT_LENGTH


class UploadForm(forms.Form):
    """Take one workbook."""

    workbook = forms.FileField(
        label="方案工作簿",
        help_text="Excel 工作簿（.xlsx），不超过 20 MB，用本页下载的模板填写。涉密信息不得录入。",
        error_messages={
            "required": "请选择要上传的工作簿。",
            "empty": "这个文件是空的（0 字节）。请重新保存后再上传。",
        },
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls"}),
    )


class StepForm(forms.Form):
    """Take a step with the state the person saw and their words."""

    seen_state = forms.CharField(widget=forms.HiddenInput)
    note = forms.CharField(
        label="意见",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="会写入办理记录，方案的经办人都能看到。",
    )


class OpinionForm(forms.Form):
    """Take a member unit's answer."""

    stance = forms.ChoiceField(
        label="会签意见", choices=Opinion.Stance.choices, widget=forms.RadioSelect
    )
    text = forms.CharField(
        label="说明",
        required=False,
        max_length=OPINION_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="不同意或修改后同意的，写明理由或修改要求。",
    )

    def clean(self) -> dict[str, Any]:
        """Ask for a reason beside anything but a plain consent."""
        cleaned = super().clean() or {}
        if cleaned.get("stance") not in (None, Opinion.Stance.AGREE) and not cleaned.get("text"):
            self.add_error("text", "不同意或修改后同意的，请写明理由或修改要求。")
        return cleaned


class ScanField(forms.FileField):
    """Take the scan of a document; its bytes are looked at by the action."""

    def __init__(self) -> None:
        super().__init__(
            label="扫描件",
            help_text="PDF、JPG 或 PNG，不超过 20 MB。涉密文件不得上传。",
            error_messages={"required": "请附文件的扫描件。", "empty": "扫描件是空的。"},
            widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}),
        )


def day_field(label: str) -> forms.DateField:
    """Return a field for one day."""
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "请按 2026-05-30 的样子填写日期。"},
    )


class ApprovalForm(forms.Form):
    """Take number, day and scan of the city government's approval."""

    seen_state = forms.CharField(widget=forms.HiddenInput)
    document_number = forms.CharField(
        label="批准文号", max_length=60, help_text="例如：朔政函〔2026〕12号"
    )
    approved_on = day_field("批准日期")
    scan = ScanField()


class DocumentForm(forms.Form):
    """Take number, day, organ and scan of a later document."""

    seen_state = forms.CharField(widget=forms.HiddenInput)
    document_number = forms.CharField(label="文号", max_length=60)
    dated_on = day_field("日期")
    organ = forms.CharField(label="机关", max_length=60)
    scan = ScanField()


class IssueForm(DocumentForm):
    """Take the document of 印发实施, and why it does not wait for the end of the notice."""

    note = forms.CharField(
        label="说明",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="公示期没有满就印发的，写明理由和批准人。",
    )


class PassOverForm(forms.Form):
    """Take a leader's word on a unit that has not answered in time."""

    unit = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        label="批示意见", max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class AdjustForm(forms.Form):
    """Take the reason of an adjustment."""

    why = forms.CharField(
        label="调整理由",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="调整方案要重新走完审定、评审、批准和公示；公示之前，现行方案继续有效。",
    )


class RoundForm(forms.Form):
    """Take the two deadlines of a round."""

    name = forms.CharField(label="轮次名称", max_length=60)
    compile_due_on = day_field("方案编制截止")
    finish_due_on = day_field("实施截止")
