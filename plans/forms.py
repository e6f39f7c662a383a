"""Shape what people type on the pages of a plan."""

from typing import Any

from django import forms

from plans.models import OPINION_TEXT_LENGTH, Opinion


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


class ApprovalForm(forms.Form):
    """Take the number and the day of the city government's approval."""

    seen_state = forms.CharField(widget=forms.HiddenInput)
    document_number = forms.CharField(
        label="批准文号", max_length=60, help_text="例如：朔政函〔2026〕12号"
    )
    approved_on = forms.DateField(
        label="批准日期",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "请按 2026-05-30 的样子填写日期。"},
    )
