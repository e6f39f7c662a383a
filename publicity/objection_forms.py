"""Shape what the public and the office type about objections and questions."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from publicity.models import Objection
from publicity.receipts import tidy
from publicity.uploads import read_attachments

PHONE = re.compile(r"^\+?\d[\d\- ]{5,19}$")


class ManyFilesInput(forms.ClearableFileInput):
    """Choose several files at once."""

    allow_multiple_selected = True


class AttachmentsField(forms.FileField):
    """Take several files; clean to a list of (suffix, bytes) that were looked at by content."""

    def clean(self, data: Any, initial: Any = None) -> list[tuple[str, bytes]]:  # noqa: ARG002
        """Return what was attached; raise ValidationError with every reason."""
        uploads: Sequence[Any] = data if isinstance(data, list | tuple) else [data] if data else []
        return read_attachments([super(AttachmentsField, self).clean(one) for one in uploads])


class ObjectionForm(forms.Form):
    """Take an objection; the names are asked for because anonymous ones cannot be accepted."""

    kind = forms.ChoiceField(
        label="异议人", choices=[("person", "个人"), ("unit", "单位")], initial="person",
        widget=forms.RadioSelect,
    )  # fmt: skip
    name = forms.CharField(
        label="姓名或单位名称", max_length=60,
        help_text="须用真实姓名；单位写全称，并附加盖公章的书面异议。",
    )  # fmt: skip
    phone = forms.CharField(
        label="联系电话", max_length=20,
        validators=[RegexValidator(PHONE, "电话只写数字，例如 13800001234 或 0349-2020000。")],
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
        help_text="查询办理情况时要用电话的后四位。",
    )  # fmt: skip
    address = forms.CharField(
        label="联系地址", max_length=120, required=False, help_text="需要邮寄答复书时填写。"
    )
    subject = forms.CharField(
        label="异议事项",
        max_length=120,
        help_text="对公示中的哪座矿山、哪个整合区、哪项内容有异议。",
    )
    text = forms.CharField(
        label="事实和理由", max_length=5000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text="最多 5000 字。请不要写入他人的个人信息；涉密信息不得录入。",
    )  # fmt: skip
    attachments = AttachmentsField(
        label="证明材料", required=False,
        widget=ManyFilesInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}),
        help_text="最多 5 个，每个不超过 10 MB；PDF、JPG 或 PNG。",
    )  # fmt: skip
    agreed = forms.BooleanField(
        label="我已阅读个人信息说明，同意为办理这份异议使用上述信息",
        error_messages={"required": "提交前请先阅读并同意个人信息说明。"},
    )

    def clean_phone(self) -> str:
        """Refuse a number with too few digits to be one."""
        phone: str = self.cleaned_data["phone"]
        if sum(character.isdigit() for character in phone) < 7:
            raise ValidationError("电话至少有 7 位数字；请写能联系到你的号码。")
        return phone

    def identity(self) -> dict[str, str]:
        """Return what is sealed."""
        return {name: self.cleaned_data[name] for name in ("kind", "name", "phone", "address")}


class LookUpForm(forms.Form):
    """Take a receipt number and the last four digits of the telephone."""

    number = forms.CharField(
        label="回执编号", max_length=40, help_text="例如 YY250903-7K4M-2QXP；大小写和短横线不限。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    last_four = forms.RegexField(
        r"^\d{4}$", label="电话后四位",
        error_messages={"invalid": "请填提交异议时所留电话的最后四位数字。"},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": 4,
                                      "autocomplete": "off"}),
    )  # fmt: skip

    def clean_number(self) -> str:
        """Return the number as it is stored."""
        return tidy(self.cleaned_data["number"])


class StepForm(forms.Form):
    """Take one step of the office; which fields it has depends on the step."""

    seen_state = forms.CharField(widget=forms.HiddenInput)
    note = forms.CharField(label="说明", max_length=3000, required=False,
                           widget=forms.Textarea(attrs={"rows": 4}))  # fmt: skip


class AnswerForm(StepForm):
    """Take the answer: whether it is upheld, the words, and the public reason to withdraw."""

    upheld = forms.TypedChoiceField(
        label="核查结论", choices=[("no", "异议不成立"), ("yes", "异议成立")],
        coerce=lambda value: value == "yes", widget=forms.RadioSelect,
    )  # fmt: skip
    withdrawal = forms.CharField(
        label="撤回公示的原因（对外公开）", max_length=500, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="异议成立时必填：公示随答复一同撤回，方案转入调整。不要写异议人的姓名。",
    )  # fmt: skip
    field_order = ("seen_state", "upheld", "note", "withdrawal")


class QuestionForm(forms.Form):
    """Take a question; nothing is asked about the person."""

    text = forms.CharField(
        label="你的问题", max_length=1000, min_length=5, widget=forms.Textarea(attrs={"rows": 5}),
        help_text="最多 1000 字。不需要留姓名和电话，也请不要写入个人信息；涉密信息不得录入。",
    )  # fmt: skip


class AnswerQuestionForm(forms.Form):
    """Take the office's answer and the wording of the question that the public reads."""

    public_text = forms.CharField(
        label="公开的问题", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="可以删去姓名、电话和不当言辞；原问题另行留存。",
    )  # fmt: skip
    answer = forms.CharField(
        label="答复（对外公开）", max_length=3000, widget=forms.Textarea(attrs={"rows": 5})
    )


def step_form(objection: Objection, step: str, data: Any = None) -> StepForm:
    """Return the form of one step for this objection."""
    kind = AnswerForm if step == "answer" else StepForm
    return kind(data, initial={"seen_state": objection.state}, auto_id=f"{step}_%s")
