"""Ask for a publish package, and record where and when a notice appeared."""

import hashlib
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from publicity import package_tasks
from publicity.models import Appearance, Notice
from publicity.uploads import PICTURES, kind_of
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete
from shuozhou_mines.models import Job
from shuozhou_mines.storage import discard, store
from taskforce.permissions import check
from taskforce.trail import record

NOT_YOURS = "官网发布由专班办公室登记；你没有这个县（市、区）的公示权限。"
LARGEST_SCREENSHOT = 10 * 1024 * 1024


@transaction.atomic
def ask_for_package(*, notice_id: int, by: Any, at: datetime) -> Job:
    """Queue the package of a notice; asked again, it is made anew. Raises NotAllowed."""
    notice = Notice.objects.select_related("plan__county").get(pk=notice_id)
    check(by, "publish_plan", notice.plan.county_id, NOT_YOURS)
    record("生成官网发布包", by=by, subject=notice, county=notice.plan.county)
    return jobs.enqueue(
        kind=package_tasks.PACKAGE, subject=notice, key=f"{notice.pk}:{at:%Y%m%dT%H%M%S}", by=by
    )


def record_appearance(
    *,
    notice_id: int,
    site: str,
    url: str,
    starts_on: date,
    ends_on: date,
    screenshot: bytes,
    by: Any,
    at: datetime,
) -> Appearance:
    """Write down that a notice appeared on an official site, with the picture of the page.

    Raises NotAllowed, and Incomplete for an address that is none, days the wrong way round, or a
    picture that is not JPG or PNG.
    """
    notice = Notice.objects.select_related("plan__county").get(pk=notice_id)
    check(by, "publish_plan", notice.plan.county_id, NOT_YOURS)
    if urlsplit(url).scheme not in ("http", "https"):
        raise Incomplete("网址要以 http:// 或 https:// 开头。")
    if ends_on < starts_on:
        raise Incomplete("结束日期不能早于开始日期。")
    suffix = kind_of(screenshot)
    if suffix not in PICTURES or len(screenshot) > LARGEST_SCREENSHOT:
        raise Incomplete("截图须是完整的 JPG 或 PNG，不超过 10 MB。")
    stored = store([screenshot], folder="screenshots", suffix=suffix)
    try:
        with transaction.atomic():
            row = Appearance.objects.create(
                notice=notice,
                site=site,
                url=url,
                starts_on=starts_on,
                ends_on=ends_on,
                screenshot=stored.name,
                suffix=suffix,
                sha256=hashlib.sha256(screenshot).hexdigest(),
                recorded_at=at,
                recorded_by=by,
            )
            record("登记官网发布", by=by, subject=notice, county=notice.plan.county, url=url)
    except BaseException:
        discard(stored)
        raise
    return row
