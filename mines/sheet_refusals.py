"""Name each reason for refusing a workbook once: code, and the sentence a person reads."""

from mines.sheets import Limits, WorkbookRefused

MACRO = ("macro", "工作簿带有宏，不能接收；请另存为不带宏的 .xlsx 文件后再上传。")
PASSWORD = ("password", "工作簿设置了打开密码，无法读取；请取消密码后再上传。")
LINKS = (
    "external_link",
    "工作簿引用了外部文件或外部数据，不能接收；请断开链接、只保留数值后再上传。",
)
EMBEDDED = ("embedded", "工作簿里嵌入了其他文件或控件，不能接收；请删除嵌入的对象后再上传。")
DAMAGED = ("damaged", "文件不完整或已损坏，无法打开；请重新导出或另存为 .xlsx 后再上传。")
BOMB = ("bomb", "文件解压后的内容过大，不能接收；请把数据粘贴到新下载的模板后再上传。")
DECLARED = (
    "dtd",
    "文件里含有不允许的 XML 声明，不能接收；请用 Excel 或 WPS 另存为 .xlsx 后再上传。",
)
NOT_WORKBOOK = ("not_workbook", "这不是 Excel 工作簿；请上传 .xlsx 或 .xls 文件。")
UNADDRESSED = (
    "no_addresses",
    "工作簿由不常见的软件生成，单元格没有地址；请用 Excel 或 WPS 打开并另存为 .xlsx 后再上传。",
)

FORBIDDEN_PARTS = (
    ("vbaproject", MACRO),
    ("/macrosheets/", MACRO),
    ("/externallinks/", LINKS),
    ("xl/connections.xml", LINKS),
    ("/querytables/", LINKS),
    ("/embeddings/", EMBEDDED),
    ("/activex/", EMBEDDED),
)
FORBIDDEN_RELATIONS = {
    "vbaproject": MACRO,
    "xlmacrosheet": MACRO,
    "xlintlmacrosheet": MACRO,
    "externallink": LINKS,
    "externallinkpath": LINKS,
    "connections": LINKS,
    "querytable": LINKS,
    "attachedtemplate": LINKS,
    "oleobject": EMBEDDED,
    "package": EMBEDDED,
    "control": EMBEDDED,
}


def many_cells(limits: Limits) -> tuple[str, str]:
    """Return the reason for refusing a workbook with more cells than may be."""
    most = limits.cells // 10_000
    return "many_cells", f"工作簿的单元格超过 {most} 万个的上限；请分成几个文件后再上传。"


def refuse(reason: tuple[str, str]) -> WorkbookRefused:
    """Make the exception for one of the reasons above."""
    return WorkbookRefused(*reason)
