"""Shape what the keepers of layers fill in."""

from typing import Any

from django import forms
from django.utils import timezone

from mines.layer_models import KINDS, TERRAIN, Layer
from standards.terms import ZoneKind

# Systems of files that name none themselves.
SYSTEMS = (
    ("", "文件已写明"),
    ("4490", "CGCS2000 经纬度"),
    ("4525", "CGCS2000 3 度带 37 带（带号在前）"),
    ("4526", "CGCS2000 3 度带 38 带（带号在前）"),
    ("4546", "CGCS2000 3 度带，中央经线 111°（不带带号）"),
    ("4547", "CGCS2000 3 度带，中央经线 114°（不带带号）"),
    ("4326", "WGS 84 经纬度"),
    ("32649", "WGS 84 UTM 49 带"),
)


class LayerForm(forms.Form):
    """Take a layer's file with its name, kind, source, day and confidentiality."""

    kind = forms.ChoiceField(
        label="类别",
        choices=KINDS,
        initial=ZoneKind.RED_LINE,
        help_text="压占管控红线为不符合，进入缓冲区由人研判；地形只用来提示边界是否沿山脊。",
    )
    name = forms.CharField(
        label="名称",
        max_length=60,
        widget=forms.TextInput(attrs={"list": "layer-names"}),
        help_text="与标准库“必须核查的管控图层”用词一致，如：生态保护红线。",
    )
    source = forms.CharField(
        label="来源单位和文件", max_length=200, help_text="如：市规划和自然资源局 2025 年划定成果。"
    )
    as_of = forms.DateField(
        label="数据日期",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="同名图层按这一天分版本，检查时用最近的一版。",
        error_messages={"invalid": "请按 2026-05-30 的样子填写日期。"},
    )
    confidentiality = forms.ChoiceField(
        label="知悉范围",
        choices=Layer.Confidentiality.choices,
        initial=Layer.Confidentiality.INTERNAL,
        help_text="涉密数据不得上传，请改用部门核查意见。图层一律不进入公开页面和导出。",
    )
    covers = forms.MultipleChoiceField(
        label="覆盖的县（市、区）",
        widget=forms.CheckboxSelectMultiple,
        help_text="只勾选图层完整覆盖的县（市、区）；没有勾选的按缺数据处理。",
    )
    epsg = forms.ChoiceField(
        label="高程文件的坐标系",
        choices=SYSTEMS,
        required=False,
        help_text="ASCII 格网一般不写坐标系，需要在这里选。",
    )
    file = forms.FileField(
        label="图层文件",
        allow_empty_file=True,
        help_text="管控图层：GeoJSON、KML 或 Shapefile 压缩包；地形：GeoTIFF 或 ASCII 格网。"
        "不超过 20 MB。",
        widget=forms.ClearableFileInput(
            attrs={"accept": ".geojson,.json,.kml,.zip,.tif,.tiff,.asc"}
        ),
    )

    def __init__(self, *given: Any, counties: list[tuple[str, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["covers"].choices = counties  # type: ignore[attr-defined]
        self.fields["covers"].initial = [code for code, _ in counties]

    def clean_as_of(self) -> Any:
        """Refuse a day that has not come."""
        day = self.cleaned_data["as_of"]
        if day > timezone.localdate():
            raise forms.ValidationError("数据日期还没有到。请填写今天或以前的日期。")
        return day

    def clean(self) -> dict[str, Any]:
        """Keep terrain internal."""
        cleaned = super().clean() or {}
        is_open = cleaned.get("confidentiality") == Layer.Confidentiality.OPEN
        if cleaned.get("kind") == TERRAIN and is_open:
            self.add_error("confidentiality", "高程数据只能内部使用，请改为“内部”。")
        epsg = cleaned.get("epsg")
        cleaned["epsg"] = int(epsg) if epsg else None
        return cleaned
