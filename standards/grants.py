"""Test the procedure and the notice of a grant by agreement (S-E06, S-E07)."""

from collections.abc import Iterator

from standards.extra_resources import EXTRA, PIECE
from standards.rules import Case, Outcome, Piece, failed, figure, judge, lacking, passed, rule
from standards.terms import GrantWay


@rule("协议出让程序", phases=EXTRA, scopes=PIECE)
def agreement_procedure(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-E06 四(二)4
    「可以采取公开竞争或协议方式出让矿业权」
    四(二)6
    「未尽事宜按照国家、省最新文件规定办理。」

    A grant by agreement needs a notice of acceptance, a collective decision, a notice of the
    result and the consent of the government of the same level. Granted without them fails; still
    pending is put to a person.
    """
    del case
    extra = piece.extra
    if extra.way is None:
        yield lacking("出让方式（协议或公开竞争）")
        return
    if extra.way is not GrantWay.AGREEMENT:
        return
    accepted, result = extra.acceptance_notice_on, extra.result_notice_on
    steps = (
        ("受理公示", accepted.isoformat() if accepted else None),
        ("集体决策文号", extra.collective_decision_no or None),
        ("结果公示", result.isoformat() if result else None),
        ("同级政府同意文号", extra.government_consent_no or None),
    )
    shown = tuple(figure(name, done) for name, done in steps)
    pending = "、".join(name for name, done in steps if done is None)
    fix = "依次完成受理公示、集体决策、结果公示，并取得同级政府同意。"
    if not pending:
        yield passed("协议出让程序齐全。", *shown)
    elif extra.granted_on is not None:
        yield failed(f"已经出让，但缺少{pending}。", *shown, fix=fix)
    else:
        yield judge(f"协议出让程序尚未完成：{pending}。", *shown, fix=fix)


@rule("协议出让公示内容", phases=EXTRA, scopes=PIECE)
def agreement_notice(piece: Piece, case: Case) -> Iterator[Outcome]:
    """S-E07 三(八)
    「公开资源整合和出让信息，公正解决、处理有关问题，广泛接受社会监督。」
    四(二)6
    「未尽事宜按照国家、省最新文件规定办理。」

    The notice of a grant by agreement must hold every required item.
    """
    extra = piece.extra
    if extra.way is not GrantWay.AGREEMENT:
        return
    required = case.book.texts("notice.items")
    if required is None:
        yield lacking(case.book.entry("notice.items").title)
        return
    if extra.notice_items is None:
        yield lacking("协议出让公示内容")
        return
    absent = "、".join(item for item in required if item not in extra.notice_items)
    shown = figure("公示内容", "、".join(extra.notice_items) or "没有")
    if absent:
        yield failed(f"公示缺少{absent}。", shown, fix=f"在公示中补充{absent}。")
    else:
        yield passed("公示内容齐全。", shown)
