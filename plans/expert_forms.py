"""Shape what people type in the review by experts."""

from typing import Any

from django import forms

from plans.expert_models import EXPERT_TEXT_LENGTH, Stance
from plans.forms import day_field
from plans.models import Expert, PlanVersion
from taskforce.models import User


def _words(label: str, *, rows: int = 3, required: bool = True, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=EXPERT_TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": rows}),
        help_text=hint,
    )


class DrawForm(forms.Form):
    """Take size, place and day of a panel, and who has to step aside."""

    size = forms.IntegerField(label="专家组人数", help_text="单数，3 至 11 人。")
    held_on = day_field("评审日期")
    place = forms.CharField(label="评审地点", max_length=80)
    aside = forms.ModelMultipleChoiceField(
        label="需要回避的专家",
        queryset=Expert.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="工作单位与方案涉及的企业或本县（市、区）有关的，系统自动回避。",
    )
    why = forms.CharField(label="回避理由", max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["aside"].queryset = Expert.objects.filter(  # type: ignore[attr-defined]
            is_active=True
        ).select_related("user")

    def clean(self) -> dict[str, Any]:
        """Ask why somebody steps aside."""
        cleaned = super().clean() or {}
        if cleaned.get("aside") and not cleaned.get("why"):
            self.add_error("why", "请写明这些专家为什么回避。")
        return cleaned


class RemarkForm(forms.Form):
    """Take one remark on the plan, a mine, an area or a clause."""

    mine = forms.ChoiceField(label="针对矿山", required=False)
    area = forms.ChoiceField(label="针对整合区", required=False)
    clause = forms.CharField(
        label="针对条款", required=False, max_length=30, help_text="例如：四(二)2"
    )
    text = _words("意见")
    must_change = forms.BooleanField(label="必须修改", required=False, initial=True)

    def __init__(self, version: PlanVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mines = version.dispositions.values_list("mine_id", "mine__name").order_by("mine__name")
        areas = version.areas.values_list("pk", "code", "name").order_by("code")
        self.fields["mine"].choices = [("", "不限"), *mines]  # type: ignore[attr-defined]
        self.fields["area"].choices = [  # type: ignore[attr-defined]
            ("", "不限"),
            *((pk, f"{code} {name}") for pk, code, name in areas),
        ]

    def remark(self) -> dict[str, Any]:
        """Return what was typed as the action takes it."""
        given = self.cleaned_data
        return {
            "text": given["text"],
            "must_change": given["must_change"],
            "mine_id": int(given["mine"]) if given["mine"] else None,
            "area_id": int(given["area"]) if given["area"] else None,
            "clause": given["clause"],
        }


class StanceForm(forms.Form):
    """Take an expert's own answer."""

    stance = forms.ChoiceField(label="我的结论", choices=Stance.choices, widget=forms.RadioSelect)
    summary = _words("意见概要", required=False, hint="“不通过”必须写明理由。提交后不能再改。")


class AsideForm(forms.Form):
    """Take why an expert steps aside."""

    why = forms.CharField(label="回避理由", max_length=200)


class ConcludeForm(forms.Form):
    """Take the words of the panel's 评审意见书; the verdict is counted."""

    seen_state = forms.CharField(widget=forms.HiddenInput)
    overall = _words("总体评价")
    merits = _words("主要优点", required=False)


class RevisionForm(forms.Form):
    """Take how one demand was met."""

    answer = _words("修改情况", rows=2)
    on_page = forms.CharField(label="页码", max_length=30, required=False)


class ExpertForm(forms.Form):
    """Take one expert of the pool."""

    user = forms.ModelChoiceField(
        label="账号",
        queryset=User.objects.none(),
        help_text="先由系统管理员开户并授予“评审专家”角色。",
    )
    title = forms.CharField(label="职称", max_length=40)
    speciality = forms.CharField(label="专业", max_length=40)
    employer = forms.CharField(
        label="工作单位", max_length=80, help_text="用来判断回避，请写全称。"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.filter(  # type: ignore[attr-defined]
            groups__name="expert:city", is_active=True
        )
