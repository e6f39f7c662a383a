"""Shape what people type and send when data comes into the registry."""

from typing import Any

from django import forms
from django.utils import timezone

from mines.workbook import fields_offered

COORDINATE_BYTES = 5 * 1024 * 1024


class RegistryUploadForm(forms.Form):
    """Take a registry workbook with the day and the source of its figures."""

    county = forms.ChoiceField(label="县（市、区）")
    as_of = forms.DateField(
        label="数据截止日期",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="表中数据截至哪一天；写入后每座矿山都标明这一天。",
        error_messages={"invalid": "请按 2026-05-30 的样子填写日期。"},
    )
    given_by = forms.CharField(
        label="数据来源",
        max_length=200,
        help_text="提供数据的单位或文件，如：县自然资源局 2026 年摸底。",
    )
    workbook = forms.FileField(
        label="台账工作簿",
        help_text="模板或本县自己的表格（.xlsx、.xls），不超过 20 MB。涉密信息不得录入。",
        error_messages={
            "required": "请选择要上传的工作簿。",
            "empty": "这个文件是空的（0 字节）。请重新保存后再上传。",
        },
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls"}),
    )

    def __init__(self, *args: Any, counties: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["county"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = counties
        if len(counties) == 1:
            field.initial = counties[0][0]
            field.widget = forms.HiddenInput()

    def clean_as_of(self) -> Any:
        """Refuse figures of a day that has not come."""
        day = self.cleaned_data["as_of"]
        if day > timezone.localdate():
            raise forms.ValidationError("数据截止日期还没有到。请填写今天或以前的日期。")
        return day


class ColumnsForm(forms.Form):
    """Ask of every column of a county's own table what it is."""

    def __init__(self, *args: Any, columns: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "不读取这一列"), *fields_offered()]
        for column in columns:
            self.fields[f"column_{column['number']}"] = forms.ChoiceField(
                label=column["head"], choices=choices, required=False, initial=column["guess"]
            )

    @property
    def chosen(self) -> dict[str, str]:
        """Return the field of each column number that is read."""
        return {
            name.removeprefix("column_"): value
            for name, value in self.cleaned_data.items()
            if value
        }


class ConfirmForm(forms.Form):
    """Confirm what the preview showed."""

    seen_mark = forms.CharField(widget=forms.HiddenInput)
    remove_gone = forms.BooleanField(
        label="同时把表中没有的矿山移出台账（历史记录保留）", required=False
    )


class CoordinatesForm(forms.Form):
    """Take corner points as a file or as text."""

    text = forms.CharField(
        label="粘贴拐点坐标",
        required=False,
        strip=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        help_text="登记坐标文本、XY001= 报盘文本、[地块坐标] 文本，或表格里的点号、X、Y 三列。",
    )
    file = forms.FileField(
        label="或选择坐标文件",
        required=False,
        allow_empty_file=True,
        help_text="文本、GeoJSON、KML 或 Shapefile 压缩包（.zip），不超过 5 MB。",
        widget=forms.ClearableFileInput(attrs={"accept": ".txt,.csv,.json,.geojson,.kml,.zip"}),
    )
    zone = forms.ChoiceField(
        label="Y 坐标没有带号时",
        required=False,
        choices=[("", "坐标里已有带号"), ("37", "按 37 带"), ("38", "按 38 带")],
    )

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two, and keep the file within its limit."""
        cleaned = super().clean() or {}
        file, text = cleaned.get("file"), cleaned.get("text") or ""
        if file is None and not text.strip():
            self.add_error("text", "请粘贴拐点坐标，或选择一个坐标文件。")
        elif file is not None and text.strip():
            self.add_error("file", "粘贴的文字和文件只能选一种。请清空文字，或去掉文件。")
        elif file is not None and not file.size:
            self.add_error("file", "这个文件是空的（0 字节）。请重新导出后再上传。")
        elif file is not None and file.size > COORDINATE_BYTES:
            self.add_error("file", "文件超过 5 MB。请只导出这个矿的矿区范围后再上传。")
        return cleaned

    @property
    def data_given(self) -> bytes:
        """Return the bytes of the file or the text."""
        file = self.cleaned_data.get("file")
        if file is not None:
            return bytes(file.read())
        return str(self.cleaned_data["text"]).encode()

    @property
    def assumed_zone(self) -> int | None:
        """Return the zone the person named for bare eastings."""
        zone = self.cleaned_data.get("zone")
        return int(zone) if zone else None


class AcceptForm(forms.Form):
    """Take a boundary over into the registry, as given or as mended."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False, max_length=1_000_000)
    source = forms.CharField(
        widget=forms.HiddenInput, required=False, strip=False, max_length=1_000_000
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    as_of = forms.DateField(
        label="数据截止日期",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "请按 2026-05-30 的样子填写日期。"},
    )
    given_by = forms.CharField(
        label="数据来源", max_length=200, help_text="如：采矿许可证、勘测定界报告。"
    )
