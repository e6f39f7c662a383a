"""Publish and take back items of 矿业权整合和出让信息 (clause 六(三))."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from publicity.models import TransferNotice
from shuozhou_mines.errors import Incomplete, WrongState
from taskforce.permissions import check
from taskforce.trail import record

NOT_YOURS = "出让信息由专班办公室发布；你没有这个县（市、区）的公示权限。"

# What an agreement grant must say (S-E07); other kinds say what they have.
FIELDS = {
    "grantee": "受让人",
    "project": "项目或矿山名称",
    "location": "位置",
    "corners": "范围坐标（2000国家大地坐标系）",
    "elevation": "开采标高",
    "area_km2": "面积（km²）",
    "mineral": "矿种",
    "reserves": "资源储量",
    "scale": "生产规模",
    "life": "服务年限",
    "start_price": "起始价",
    "price": "成交价",
    "reason": "符合协议出让的情形及理由",
    "objection": "异议方式和途径",
    "other": "其他",
}
NEEDED_FOR_AGREEMENT = (
    "grantee", "project", "location", "corners", "elevation", "area_km2", "mineral", "scale",
    "reason", "objection",
)  # fmt: skip


@transaction.atomic
def publish_transfer(
    *,
    kind: str,
    county_code: str,
    title: str,
    facts: dict[str, str],
    source: str,
    published_on: date,
    by: Any,
    at: datetime,
) -> TransferNotice:
    """Publish one item; raises NotAllowed, and Incomplete naming what S-E07 misses."""
    check(by, "publish_plan", county_code, NOT_YOURS)
    told = {name: facts[name].strip() for name in FIELDS if facts.get(name, "").strip()}
    if kind == TransferNotice.Kind.AGREEMENT:
        missing = [FIELDS[name] for name in NEEDED_FOR_AGREEMENT if name not in told]
        if missing:
            raise Incomplete(f"协议出让公示还缺：{'、'.join(missing)}。")
    row = TransferNotice.objects.create(
        kind=kind,
        county_id=county_code,
        title=title,
        facts=told,
        source=source,
        published_on=published_on,
        published_by=by,
    )
    record("发布出让信息", by=by, subject=row, county=row.county, day=at.date().isoformat())
    return row


@transaction.atomic
def withdraw_transfer(*, transfer_id: int, by: Any, at: datetime) -> TransferNotice:
    """Take one item back; raises NotAllowed, WrongState when it has been taken back before."""
    row = TransferNotice.objects.select_for_update(of=("self",)).get(pk=transfer_id)
    check(by, "publish_plan", row.county_id or "", NOT_YOURS)
    if row.withdrawn_at is not None:
        raise WrongState("这条出让信息已经撤回。")
    row.withdrawn_at = at
    row.save(update_fields=["withdrawn_at"])
    record("撤回出让信息", by=by, subject=row, county=row.county)
    return row
