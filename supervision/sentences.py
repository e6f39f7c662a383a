"""Write a bulletin's paragraphs from its figures; the office edits them one by one afterwards.

A paragraph is {key, heading, text, drafted, edited}: `text` may hold several lines, each printed as
a paragraph of its own; `drafted` is what this module writes for the present figures.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from supervision.bulletins import (
    AHEAD,
    BELOW_HALF,
    LATE,
    MISSING,
    MORE_THAN_HALF,
    NOT_DUE,
    ON_TIME,
    RETURNED,
    Figures,
    quarter_name,
)
from supervision.consistency import BATCHES

Paragraph = dict[str, Any]
WORK_PLAN = "《朔州市加强非煤矿山行业管理进一步推动非煤矿山整治整合工作方案》"
ORDINALS = "一二三四五六七八九"


def draft_paragraphs(figures: Figures) -> list[Paragraph]:
    """Return all paragraphs as the figures word them."""
    drafts = (
        ("opening", "", _opening(figures)),
        ("overall", "一、总体进展", _overall(figures)),
        ("batches", "", _batches(figures)),
        ("counties", "二、各县（市、区）进展", _counties(figures)),
        ("changes", "", _changes(figures)),
        ("problems", "三、存在问题", _problems(figures)),
        ("reported", "", _reported(figures)),
        ("next", "四、下步要求", _next_steps(figures)),
    )
    return [
        {"key": key, "heading": heading, "text": text, "drafted": text, "edited": False}
        for key, heading, text in drafts
    ]


def refresh_paragraphs(figures: Figures, held: Iterable[Paragraph]) -> list[Paragraph]:
    """Return the paragraphs for new figures; what the office has edited stays word for word."""
    edited = {paragraph["key"]: paragraph for paragraph in held if paragraph["edited"]}
    return [
        edited[draft["key"]] | {"drafted": draft["text"]} if draft["key"] in edited else draft
        for draft in draft_paragraphs(figures)
    ]


def _opening(figures: Figures) -> str:
    name = quarter_name(figures["year"], figures["quarter"])
    return (
        f"按照{WORK_PLAN}关于“实行县（市、区）月报、市级季通报制度”的要求，"
        f"现将{name}全市非煤矿山整治整合工作进展情况通报如下。"
    )


def _overall(figures: Figures) -> str:
    totals, end = figures["totals"], figures["as_of_words"]
    without = totals["without_report"]
    if totals["done"] is None:
        return f"截至{end}，各县（市、区）均未报送本季度月报，全市进展数据暂缺。"
    text = (
        f"截至{end}，全市整治整合任务{totals['task']}座，累计完成{totals['done']}座，"
        f"完成率{_percent(totals['rate'])}；本季度新增完成{totals['added']}座，"
        f"进行中{totals['under_way']}座，未启动{totals['not_started']}座。"
    )
    before = figures["previous"]
    if before and before["rate_change"] is not None:
        move = _move(before["rate_change"])
        text += f"完成率比{before['name']}（{_percent(before['rate'])}）{move}。"
    stale = [
        f"{row['name']}截至{_month(row['as_of'])}"
        for row in figures["counties"]
        if row["as_of"] and row["as_of"] < figures["as_of"]
    ]
    if stale:
        text += f"其中，{'、'.join(stale)}。"
    if without:
        text += f"{'、'.join(without)}本季度没有已报送的月报，未计入上述数据。"
    return text


def _batches(figures: Figures) -> str:
    totals = figures["totals"]
    if totals["done"] is None:
        return ""
    parts = []
    for kind in BATCHES:
        batch = totals["batches"][kind.value]
        part = f"{kind.label}任务{batch['task']}座、累计完成{batch['done']}座"
        parts.append(part + (f"，完成率{_percent(batch['rate'])}" if batch["rate"] else ""))
    return f"分类看，{'；'.join(parts)}。其中，砂石土类矿山累计完成{totals['sand_done']}座。"


def _counties(figures: Figures) -> str:
    ranked = [row for row in figures["counties"] if row["rank"] is not None]
    if not ranked:
        return "本季度没有可以排名的县（市、区）。"
    order = "、".join(f"{row['name']}（{_percent(row['rate'])}）" for row in ranked)
    bands = []
    for band, words in (
        (AHEAD, "提前超额（完成率达到100%）的"),
        (MORE_THAN_HALF, "完成率过半的"),
        (BELOW_HALF, "完成率低于50%的"),
    ):
        names = [row["name"] for row in ranked if row["band"] == band]
        if names:
            bands.append(f"{words}{len(names)}个：{'、'.join(names)}")
    return f"按完成率由高到低依次为：{order}。其中，{'；'.join(bands)}。"


def _changes(figures: Figures) -> str:
    moved = [row for row in figures["counties"] if row["rate_change"] is not None]
    if not moved:
        return ""
    best = max(moved, key=lambda row: Decimal(row["rate_change"]))
    still = [row["name"] for row in moved if Decimal(row["rate_change"]) <= 0]
    text = ""
    if Decimal(best["rate_change"]) > 0:
        text = f"与上季度相比，进展最快的是{best['name']}，完成率{_move(best['rate_change'])}。"
    if still:
        text += f"{'、'.join(still)}完成率没有提高。"
    return text


def _problems(figures: Figures) -> str:
    """Number what the figures show: late reports, overdue tasks, failing mines, open problems."""
    found = [
        text
        for text in (
            _late_reports(figures),
            _counted(figures, "overdue_tasks", "部分任务超过时限", "项任务到期未完成"),
            _counted(figures, "failing_mines", "部分矿山达不到标准", "座矿山有不符合项"),
            _counted(figures, "open_problems", "督导问题尚未全部销号", "个问题未销号"),
        )
        if text
    ]
    if not found:
        return "各县（市、区）应报的月报均按时报送，没有到期未完成的任务和未销号的督导问题。"
    if len(found) == 1:
        return found[0]
    return "\n".join(f"{ORDINALS[i]}是{text}" for i, text in enumerate(found))


def _late_reports(figures: Figures) -> str:
    counts = figures["reporting"]
    wanted = sum(number for state, number in counts.items() if state != NOT_DUE)
    parts = []
    for state, words in ((LATE, "迟报"), (MISSING, "未报"), (RETURNED, "退回后未再报")):
        named = [
            f"{row['name']}{'、'.join(_month(entry['month']) for entry in entries)}"
            for row in figures["counties"]
            if (entries := [entry for entry in row["reports"] if entry["state"] == state])
        ]
        if named:
            parts.append(f"{words}{counts[state]}份（{'，'.join(named)}）")
    if not parts:
        return ""
    return (
        f"月报报送不够及时。本季度应报{wanted}份，按时报送{counts.get(ON_TIME, 0)}份，"
        f"{'，'.join(parts)}。"
    )


def _counted(figures: Figures, name: str, what: str, unit: str) -> str:
    rows = [row for row in figures["counties"] if row[name]]
    if not rows:
        return ""
    listed = "、".join(f"{row['name']}{row[name]}" for row in rows)
    return f"{what}。共{sum(row[name] for row in rows)}{unit}（{listed}）。"


def _reported(figures: Figures) -> str:
    """Pass on the problems that the counties' newest reports name."""
    lines = [
        f"{row['name']}反映：{' '.join(row['problems'].split()).rstrip('。')}。"
        for row in figures["counties"]
        if row["problems"].strip()
    ]
    return "\n".join(lines)


def _next_steps(figures: Figures) -> str:
    behind = [row["name"] for row in figures["counties"] if row["band"] == BELOW_HALF]
    silent = [
        row["name"]
        for row in figures["counties"]
        if any(entry["state"] in (MISSING, RETURNED) for entry in row["reports"])
    ]
    overdue = [row["name"] for row in figures["counties"] if row["overdue_tasks"]]
    open_problems = [row["name"] for row in figures["counties"] if row["open_problems"]]
    steps = [f"各县（市、区）要对照县级实施方案倒排工期、逐矿落实，{_deadline(figures)}。"]
    if behind:
        steps.append(f"完成率低于50%的{'、'.join(behind)}要逐矿分析原因，制定赶进度的措施。")
    if overdue:
        steps.append(f"{'、'.join(overdue)}要限期完成已到期的任务，并补报完成依据。")
    if open_problems:
        steps.append(f"{'、'.join(open_problems)}要抓紧整改督导发现的问题，整改一项、销号一项。")
    if silent:
        steps.append(f"{'、'.join(silent)}要尽快补报所缺月报；各县（市、区）要按时如实报送月报。")
    return "\n".join(f"（{ORDINALS[i]}）{text}" for i, text in enumerate(steps))


def _deadline(figures: Figures) -> str:
    if figures["finish_due_on"] is None:
        return "确保完成省定任务"
    day = date.fromisoformat(figures["finish_due_on"])
    if day.isoformat() < figures["ends_on"]:
        return f"实施阶段已于{day.year}年{day.month}月{day.day}日到期，未完成的任务要从速办结"
    return f"确保{day.year}年{day.month}月{day.day}日前完成省定任务"


def _month(text: str) -> str:
    return f"{date.fromisoformat(text).month}月"


def _percent(rate: str | None) -> str:
    return "—" if rate is None else f"{rate}%"


def _move(change: str) -> str:
    points = Decimal(change)
    if points == 0:
        return "持平"
    return f"{'提高' if points > 0 else '下降'}{abs(points)}个百分点"
