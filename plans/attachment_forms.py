"""Shape what people send in beside a plan: documents, comments and answers."""

from typing import Any

from django import forms

from plans.attachment_models import Attachment
from plans.comment_models import COMMENT_LENGTH


class AttachmentForm(forms.Form):
    """Take one document with what it is."""

    subject = forms.ChoiceField(label="类别", choices=Attachment.Subject.choices)
    title = forms.CharField(label="名称", max_length=120)
    document = forms.FileField(
        label="文件",
        allow_empty_file=True,
        help_text=(
            "PDF、Word（.docx）、Excel（.xlsx）、JPG 或 PNG，不超过 20 MB。PDF 里会自动执行的内容"
            "和夹带的文件会被去除，图片会重新保存。涉密信息不得上传。"
        ),
        error_messages={"required": "请选择要上传的文件。"},
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.docx,.xlsx,.jpg,.jpeg,.png"}),
    )


class CommentForm(forms.Form):
    """Take a comment on one thing; `on` is a list of things or one that is given."""

    on = forms.ChoiceField(label="针对")
    page = forms.IntegerField(
        label="附件第几页", required=False, min_value=1, help_text="针对附件的，可以写明页码。"
    )
    text = forms.CharField(
        label="意见", max_length=COMMENT_LENGTH, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, targets: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].choices = targets  # type: ignore[attr-defined]

    def target(self) -> str:
        """Return what is meant, the page with it."""
        on: str = self.cleaned_data["on"]
        page = self.cleaned_data["page"]
        return f"{on}:{page}" if page and on.startswith("attachment:") else on


class AnswerForm(forms.Form):
    """Take an answer."""

    text = forms.CharField(
        label="答复", max_length=COMMENT_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )
