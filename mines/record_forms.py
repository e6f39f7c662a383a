"""Shape what people type when they add to a mine's file."""

from typing import Any

from django import forms
from django.utils import timezone

from mines.record_models import (
    Acceptance,
    MineDocument,
    RightEvent,
    TreatmentCheck,
    TreatmentPlan,
    YearOutput,
)

SOURCE = ("as_of", "given_by")
DAY = {"invalid": "请按 2026-05-30 的样子填写日期。"}


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]
    """Take one row of a mine's file with its day and its source."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.DateField):
                field.widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
                field.error_messages.update(DAY)
            elif isinstance(field, forms.DecimalField | forms.IntegerField):
                field.widget = forms.TextInput(attrs={"inputmode": "decimal"})
        self.fields["given_by"].help_text = "提供数据的单位或文件。"

    def clean_as_of(self) -> Any:
        """Refuse what is said to be known from a day that has not come."""
        day = self.cleaned_data["as_of"]
        if day > timezone.localdate():
            raise forms.ValidationError("数据截止日期还没有到。请填写今天或以前的日期。")
        return day


class OutputForm(RecordForm):
    """Take what a mine really raised in a year."""

    class Meta:
        model = YearOutput
        fields = ("year", "amount", "unit", *SOURCE)


class AcceptanceForm(RecordForm):
    """Take one acceptance of the environment's restoration."""

    class Meta:
        model = Acceptance
        fields = ("accepted_on", "conclusion", "area_ha", "unit_name", *SOURCE)


class TreatmentPlanForm(RecordForm):
    """Take one filing of 《矿山开发治理方案》."""

    class Meta:
        model = TreatmentPlan
        fields = ("filing_no", "reviewed_on", "filed_on", "due_on", "filed_with", *SOURCE)


class TreatmentCheckForm(RecordForm):
    """Take one yearly check against the treatment plan."""

    class Meta:
        model = TreatmentCheck
        fields = ("year", "checked_on", "conclusion", "note", *SOURCE)


class RightEventForm(RecordForm):
    """Take one act on the mining right."""

    class Meta:
        model = RightEvent
        fields = (
            "kind", "happened_on", "way", "from_holder", "to_holder", "document_no", *SOURCE,
        )  # fmt: skip


class DocumentForm(RecordForm):
    """Take one paper of the mine's file."""

    upload = forms.FileField(
        label="文件",
        help_text="PDF、图片、docx 或 xlsx，不超过 20 MB。涉密文件不得上传。",
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png,.docx,.xlsx"}),
        error_messages={"required": "请选择要上传的文件。"},
    )
    field_order = ("kind", "title", "issued_on", "upload", *SOURCE)

    class Meta:
        model = MineDocument
        fields = ("kind", "title", "issued_on", *SOURCE)


FORMS: dict[str, type[RecordForm]] = {
    "outputs": OutputForm,
    "acceptances": AcceptanceForm,
    "treatment_plans": TreatmentPlanForm,
    "treatment_checks": TreatmentCheckForm,
    "right_events": RightEventForm,
    "documents": DocumentForm,
}
