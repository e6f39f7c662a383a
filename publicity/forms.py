"""Shape what the office types to publish and to withdraw."""

from django import forms


class NoticeForm(forms.Form):
    """Take the length and the first day of a notice."""

    seen_state = forms.CharField(widget=forms.HiddenInput)
    starts_on = forms.DateField(
        label="公示开始",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "请按 2026-05-30 的样子填写日期。"},
    )
    working_days = forms.IntegerField(
        label="公示工作日",
        min_value=1,
        max_value=60,
        help_text="开始的当日不计入；按国务院节假日安排计算，最后一日 18:00 截止。",
        error_messages={"min_value": "至少 1 个工作日。", "max_value": "最多 60 个工作日。"},
    )


class WithdrawForm(forms.Form):
    """Take the reason for a withdrawal; it is shown to the public."""

    reason = forms.CharField(
        label="撤回原因", max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
