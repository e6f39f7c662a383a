"""Sign what a template was made from, so that a changed or foreign workbook is recognised."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mines.sheets import CellValue, Misread, Sheet, as_choice, as_date, as_decimal, as_text, shown
from plans.workbook_columns import TEMPLATE_ID, TEMPLATE_VERSION, Column, Kind, facts
from plans.workbook_rows import TemplateMine
from standards.terms import Term

HEADS = (
    "template_id",
    "template_version",
    "county_code",
    "round_name",
    "registry_version",
    "signature",
)
MINES_FROM = len(HEADS) + 2


@dataclass(frozen=True)
class Stamp:
    """The content of the hidden sheet; `digests` maps registry numbers to their row's digest."""

    county_code: str
    round_name: str
    registry_version: str
    digests: Mapping[str, str]
    template_id: str = TEMPLATE_ID
    template_version: str = TEMPLATE_VERSION
    signature: str = ""

    def signed(self, key: bytes) -> str:
        """Return the HMAC-SHA256 over everything but the signature itself."""
        signed = [getattr(self, head) for head in HEADS[:-1]]
        text = json.dumps([signed, list(self.digests.items())], ensure_ascii=True)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def is_genuine(self, key: bytes) -> bool:
        """Say whether this portal wrote it and nobody changed it."""
        return hmac.compare_digest(self.signature.encode(), self.signed(key).encode())

    def rows(self, key: bytes) -> list[tuple[str, str]]:
        """Return the rows of the hidden sheet, the signature included."""
        heads = [(head, getattr(self, head)) for head in HEADS[:-1]]
        return [*heads, ("signature", self.signed(key)), ("", ""), *self.digests.items()]


def stamp_of(
    *,
    county_code: str,
    round_name: str,
    registry_version: str,
    mines: Sequence[TemplateMine],
    key: bytes,
) -> Stamp:
    """Make the stamp of a template."""
    return Stamp(
        county_code=county_code,
        round_name=round_name,
        registry_version=registry_version,
        digests={mine.registry_no: digest(facts_of(mine), key) for mine in mines},
    )


def stamp_in(sheet: Sheet) -> Stamp:
    """Read the hidden sheet; what is missing reads as empty."""
    rows = {
        str(sheet.value(row, 1) or ""): shown(sheet.value(row, 2), 200)
        for row in range(1, len(HEADS) + 1)
    }
    digests = {
        shown(sheet.value(row, 1), 200): shown(sheet.value(row, 2), 200)
        for row in range(MINES_FROM, len(sheet.rows) + 1)
        if sheet.value(row, 1) is not None
    }
    return Stamp(digests=digests, **{head: rows.get(head, "") for head in HEADS})


def digest(canonical: Sequence[str], key: bytes) -> str:
    """Return a short keyed digest of a mine's facts."""
    text = json.dumps(canonical, ensure_ascii=True).encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:24]


def facts_of(mine: TemplateMine) -> list[str]:
    """Return the facts of a mine as the text they are compared by, in column order."""
    return [canonical(column, _as_cell(getattr(mine, column.field))) for column in facts()]


def canonical(column: Column, value: CellValue) -> str:
    """Return a cell's content as the text it is compared by: 50, 50.0 and "５０" are the same."""
    read: object
    if column.kind in (Kind.DECIMAL, Kind.INTEGER):
        read = as_decimal(value)
    elif column.kind is Kind.DATE:
        read = as_date(value)
    elif column.kind is Kind.CHOICE and column.terms is not None:
        read = as_choice(value, column.terms)
    else:
        read = as_text(value)
    if isinstance(read, Misread):
        return shown(value, 500)
    if isinstance(read, Term):
        return read.label
    if isinstance(read, Decimal):
        return f"{read:f}"
    return "" if read is None else str(read)


def _as_cell(fact: object) -> CellValue:
    if isinstance(fact, Term):
        return fact.label
    if isinstance(fact, Decimal):
        return f"{fact:f}"
    if fact is None or isinstance(fact, (str, int, date)):
        return fact
    raise TypeError(type(fact))
