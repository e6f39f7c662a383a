"""Shape the evidence of plan tasks as it is typed."""

from django import forms

from supervision.inspection_forms import day_field, words_field


class ProofForm(forms.Form):
    """Take day and evidence of one item."""

    done_on = day_field("完成日期")
    evidence = forms.CharField(
        label="依据", max_length=200, error_messages={"required": "请写明依据，例如文号和日期。"}
    )


class ReopenForm(forms.Form):
    """Take the reason for taking a completion back."""

    note = words_field("撤回原因", max_length=200)
