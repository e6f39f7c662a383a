"""Test what the reader of attachments takes out and what it refuses."""

import io
import zipfile

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from plans.attachment_reader import NotTaken, clean


def pdf(change=None) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    document.add_blank_page()
    if change is not None:
        change(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def office(extra: dict[str, bytes] | None = None, part: str = "word/document.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<document/>")
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def picture(kind: str, **saving: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, kind, **saving)
    return out.getvalue()


def script(document: pikepdf.Pdf) -> None:
    action = Dictionary(S=Name.JavaScript, JS="app.alert(1)")
    document.Root.OpenAction = document.make_indirect(action)
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array(["a", action])))


def launch_on_click(document: pikepdf.Pdf) -> None:
    note = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9],
        A=Dictionary(S=Name.Launch, F="cmd.exe"),
    )  # fmt: skip
    document.pages[0].Annots = document.make_indirect(Array([document.make_indirect(note)]))


def chained(document: pikepdf.Pdf) -> None:
    after = Dictionary(S=Name.JavaScript, JS="1")
    note = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9],
        A=Dictionary(S=Name.GoTo, D=Array([0]), Next=Array([after])),
    )  # fmt: skip
    document.pages[1].Annots = Array([note])


def carried(document: pikepdf.Pdf) -> None:
    document.attachments["evil.exe"] = b"MZ"


def pinned(document: pikepdf.Pdf) -> None:
    file = document.make_stream(b"MZ")
    note = Dictionary(
        Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[0, 0, 9, 9],
        FS=Dictionary(Type=Name.Filespec, F="x", EF=Dictionary(F=file)),
    )  # fmt: skip
    document.pages[0].Annots = Array([note])


@pytest.mark.parametrize(
    ("change", "removed"),
    [
        (script, {"打开时执行的动作": 1, "JavaScript": 2}),
        (launch_on_click, {"启动程序的动作": 1}),
        (chained, {"JavaScript": 1}),
        (carried, {"嵌入的文件": 3}),
        (pinned, {"嵌入的文件": 1}),
    ],
)
def test_what_acts_in_a_pdf_is_taken_out(change, removed) -> None:
    looked, content = clean(pdf(change))
    assert (looked.kind, looked.pages, looked.removed) == (".pdf", 2, removed)
    for trace in (b"/JavaScript", b"/JS", b"/Launch", b"cmd.exe", b"/EmbeddedFile", b"MZ"):
        assert trace not in content
    again, _ = clean(content)
    assert again.removed == {}


def test_a_plain_pdf_stays_whole() -> None:
    looked, content = clean(pdf())
    assert looked.removed == {}
    with pikepdf.open(io.BytesIO(content)) as document:
        assert len(document.pages) == 2


def test_an_ordinary_link_in_a_pdf_stays() -> None:
    def link(document: pikepdf.Pdf) -> None:
        note = Dictionary(
            Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9],
            A=Dictionary(S=Name.URI, URI="https://example.org/"),
        )  # fmt: skip
        document.pages[0].Annots = Array([note])

    looked, content = clean(pdf(link))
    assert looked.removed == {}
    with pikepdf.open(io.BytesIO(content)) as document:
        assert str(document.pages[0].Annots[0].A.URI) == "https://example.org/"


def test_a_picture_is_drawn_anew_without_what_the_camera_wrote() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of somebody"
    exif[0x0112] = 6  # lies on its side
    looked, content = clean(picture("JPEG", exif=exif) + b"<script>behind</script>")
    assert (looked.kind, looked.pages) == (".jpg", 1)
    assert b"Camera" not in content
    assert b"script" not in content
    with Image.open(io.BytesIO(content)) as drawn:
        assert drawn.size == (20, 40)
        assert not dict(drawn.getexif())


def test_a_png_stays_a_png() -> None:
    assert clean(picture("PNG"))[0].kind == ".png"


@pytest.mark.parametrize(
    ("part", "kind"), [("word/document.xml", ".docx"), ("xl/workbook.xml", ".xlsx")]
)
def test_plain_office_files_are_taken_as_they_are(part, kind) -> None:
    content = office(part=part)
    looked, same = clean(content)
    assert (looked.kind, same) == (kind, content)


def encrypted() -> bytes:
    document = pikepdf.open(io.BytesIO(pdf()))
    out = io.BytesIO()
    document.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


OUTSIDE = b'<Relationship Type="x/attachedTemplate" Target="http://e/t" TargetMode="External"/>'
HYPERLINK = b'<Relationship Type="x/hyperlink" Target="http://e/" TargetMode="External"/>'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"MZ\x90\x00", "只收 PDF、Word"),
        (b"", "只收 PDF、Word"),
        (b"\xd0\xcf\x11\xe0rest", "旧格式的 Office"),
        (b"%PDF-1.7 torn", "已损坏"),
        (encrypted(), "加了密码"),
        (picture("PNG")[:60], "不完整"),
        (b"PK\x03\x04torn", "已损坏"),
        (office(part="other.txt"), "不是 .docx 或 .xlsx"),
        (office({"word/vbaProject.bin": b"x"}), "文件里有宏"),
        (office({"word/embeddings/a.bin": b"x"}), "文件里有嵌入的文件"),
        (office({"word/_rels/settings.xml.rels": OUTSIDE}), "外部模板"),
        (office({"word/footer1.xml": b"<w:instrText>DDEAUTO c</w:instrText>"}), "自动执行"),
        (office({"word/a.xml": b'<!DOCTYPE a [<!ENTITY b "c">]>'}), "内部结构不正常"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_told(content, sentence) -> None:
    with pytest.raises(NotTaken, match=sentence):
        clean(content)


def test_a_hyperlink_in_a_document_is_no_harm() -> None:
    assert clean(office({"word/_rels/document.xml.rels": HYPERLINK}))[0].kind == ".docx"
