"""Shape the last small corrections of a plan: one mine's disposition, one area's figures."""

from typing import Any

from django import forms

from plans.workbook_rows import AreaRow, DispositionRow
from standards.terms import Disposition, GrantWay

YES_NO = [("yes", "是"), ("no", "否")]


def _day(label: str, *, required: bool = False) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "请按 2026-05-30 的样子填写日期。"},
    )


def _text(label: str, length: int = 200, *, required: bool = False) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, required=required)


def _number(label: str, unit: str, *, required: bool = False) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        max_digits=14,
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "unit": unit}),
        error_messages={"invalid": "请只填数字，单位已在右边。"},
    )


class DispositionForm(forms.Form):
    """Take what becomes of one mine."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput)
    disposition = forms.ChoiceField(label="处置方式", choices=Disposition.choices())
    reason = forms.CharField(
        label="处置理由", max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    area_code = forms.ChoiceField(
        label="整合区", required=False, help_text="整合重组的必须选择，其他留空。"
    )
    due_on = _day("完成时限")
    unit = _text("责任单位")
    person = _text("责任人")
    remark = _text("备注")

    def __init__(self, *args: Any, areas: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["area_code"].choices = [("", "不填"), *areas]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for what the disposition needs."""
        cleaned = super().clean() or {}
        merges = cleaned.get("disposition") == Disposition.MERGE
        if merges and not cleaned.get("area_code"):
            self.add_error("area_code", "整合重组的矿山必须选择整合区。")
        if not merges and cleaned.get("area_code"):
            self.add_error("area_code", "只有整合重组的矿山才填整合区，请改选“不填”。")
        keeps = cleaned.get("disposition") == Disposition.KEEP
        if not keeps and not cleaned.get("due_on") and "due_on" not in self.errors:
            self.add_error("due_on", "没有完成时限。请填写到日，如 2026-12-31。")
        return cleaned


def disposition_initial(row: DispositionRow) -> dict[str, Any]:
    """Return what the form shows of a row."""
    return {
        "disposition": row.disposition,
        "reason": row.reason,
        "area_code": row.area_code,
        "due_on": row.due_on,
        "unit": row.unit,
        "person": row.person,
        "remark": row.remark,
    }


class AreaForm(forms.Form):
    """Take the figures of one area; its corners are changed in the workbook."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput)
    name = _text("整合后矿山名称", 80, required=True)
    lead = _text("整合主体", 80, required=True)
    scale = _number("初定生产规模", "单位不变", required=True)
    reserve_wan_t = _number("可采储量", "万吨")
    service_life_years = _number("服务年限", "年", required=True)
    life_includes_construction = forms.ChoiceField(label="服务年限含基建期", choices=YES_NO)
    construction_years = _number("基建期", "年")
    elevation_top_m = _number("标高上限", "m", required=True)
    elevation_bottom_m = _number("标高下限", "m", required=True)
    grant_way = forms.ChoiceField(
        label="出让方式", required=False, choices=[("", "不填"), *GrantWay.choices()]
    )
    extra_basis = forms.CharField(
        label="新增依据", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    on_ridge = forms.ChoiceField(label="是否山脊划界", choices=[*YES_NO, ("open", "未判定")])
    as_new = forms.ChoiceField(label="是否按新设", choices=YES_NO)
    leader = _text("责任领导", 40)
    due_on = _day("完成时限", required=True)
    remark = _text("备注")


AREA_PLAIN = (
    "name", "lead", "scale", "reserve_wan_t", "service_life_years", "construction_years",
    "elevation_top_m", "elevation_bottom_m", "extra_basis", "leader", "due_on", "remark",
)  # fmt: skip
WORDS = {True: "yes", False: "no", None: "open"}
VALUES = {"yes": True, "no": False, "open": None}


def area_initial(row: AreaRow) -> dict[str, Any]:
    """Return what the form shows of an area."""
    shown = {name: getattr(row, name) for name in AREA_PLAIN}
    shown |= {name: WORDS[getattr(row, name)] for name in YES_NO_FIELDS}
    return shown | {"grant_way": row.grant_way or ""}


YES_NO_FIELDS = ("life_includes_construction", "on_ridge", "as_new")


def area_changes(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the row takes from the form; empty text reads as nothing."""
    changes = {name: None if given[name] == "" else given[name] for name in AREA_PLAIN}
    changes |= {name: VALUES[given[name]] for name in YES_NO_FIELDS}
    return changes | {"grant_way": GrantWay(given["grant_way"]) if given["grant_way"] else None}
