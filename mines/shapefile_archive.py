"""Unpack a zipped Shapefile under limits into a folder with names of our own."""

import re
import stat
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from mines.readings import Problem, problem

PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
NEEDED = (".shp", ".shx", ".dbf", ".prj")
ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tar", ".tgz", ".bz2", ".xz", ".kmz")
ARCHIVE_MARKS = (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
SHAPE_MARK = b"\x00\x00\x27\x0a"
CHUNK = 64 * 1024


@dataclass(frozen=True)
class ArchiveLimits:
    """State how large an archive may be, packed and really unpacked, in bytes, and its members."""

    max_packed: int = 10_000_000
    max_unpacked: int = 20_000_000
    max_members: int = 60


@dataclass(frozen=True)
class Unpacked:
    """Hold the folder's shape file path, the text of its .prj and the .cpg encoding name."""

    path: Path
    projection: str
    encoding: str


class _Unfit(Exception):
    """Carry the problem for which an archive is refused."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.message)
        self.problem = found


def unpack_shapefile(
    source: bytes | Path, folder: Path, limits: ArchiveLimits
) -> Unpacked | Problem:
    """Write the parts of the one Shapefile of an archive to `boundary.*` in the folder.

    Counts the bytes that really come out, not those the archive states.
    """
    try:
        return _unpack(source, folder, limits)
    except _Unfit as unfit:
        return unfit.problem
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        return _not_zip()
    except Exception as error:  # zlib.error and lzma.LZMAError share no base class
        if type(error).__module__ in ("zlib", "lzma", "_lzma"):
            return _not_zip()
        raise


def _unpack(source: bytes | Path, folder: Path, limits: ArchiveLimits) -> Unpacked:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > limits.max_packed:
        raise _Unfit(_too_large(f"{size} 字节", f"不超过 {limits.max_packed} 字节"))
    with zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source) as archive:
        members = archive.infolist()
        if len(members) > limits.max_members:
            raise _Unfit(_too_large(f"{len(members)} 个文件", f"不超过 {limits.max_members} 个"))
        for member in members:
            _check_member(member)
        parts = _choose_parts(members)
        left = limits.max_unpacked
        for suffix, member in parts.items():
            left -= _copy(archive, member, folder / f"boundary{suffix}", left, limits)
    if (folder / "boundary.shp").read_bytes()[:4] != SHAPE_MARK:
        raise _Unfit(_not_shapefile())
    # System and encoding are judged here; the reader must not follow these files by itself.
    projection = _take(folder / "boundary.prj")
    encoding = _take(folder / "boundary.cpg").strip()
    return Unpacked(folder / "boundary.shp", projection, encoding)


def _take(path: Path) -> str:
    """Return the beginning of a small text file and remove the file; "" when there is none."""
    if not path.exists():
        return ""
    text = path.read_bytes()[:20_000].decode("utf-8", "replace")
    path.unlink()
    return text


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    shown = re.sub(r"[^\w./\\ -]", "?", name)[:60]
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or _climbs(name):
        raise _Unfit(
            problem(
                "unsafe_name",
                f"压缩包里的文件名“{shown}”指向包外的位置",
                found=shown,
                expected="普通的相对文件名",
                fix="请只把 .shp、.shx、.dbf、.prj 几个文件放在一起压缩",
            )
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise _Unfit(
            problem(
                "unsafe_name",
                f"压缩包里的“{shown}”是链接而不是文件",
                found=shown,
                expected="文件本身",
                fix="请把文件本身放进压缩包",
            )
        )
    if member.flag_bits & 0x1:
        raise _Unfit(
            problem(
                "encrypted",
                f"压缩包里的“{shown}”加了密码",
                found="加密的压缩包",
                expected="没有密码的 zip 压缩包",
                fix="请取消密码后重新压缩",
            )
        )
    if name.lower().endswith(ARCHIVES):
        raise _Unfit(_nested(shown))


def _climbs(name: str) -> bool:
    return ".." in re.split(r"[/\\]", name)


def _choose_parts(members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Return the parts by suffix; resource forks of macOS are left aside."""
    files = [m for m in members if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    layers = [m for m in files if m.filename.lower().endswith(".shp")]
    if not layers:
        raise _Unfit(_not_shapefile())
    if len(layers) > 1:
        raise _Unfit(
            problem(
                "several_layers",
                f"压缩包里有 {len(layers)} 个 .shp 图层",
                found=f"{len(layers)} 个图层",
                expected="一个图层",
                fix="请每次只压缩一个矿区范围图层",
            )
        )
    stem = layers[0].filename[:-4]
    parts = {}
    for suffix in PARTS:
        own = [m for m in files if m.filename.lower() == (stem + suffix).lower()]
        if own:
            parts[suffix] = own[0]
        elif suffix in NEEDED:
            raise _Unfit(_missing_part(suffix))
    return parts


def _copy(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    target: Path,
    left: int,
    limits: ArchiveLimits,
) -> int:
    """Write a member to the target; return its bytes."""
    written = 0
    with archive.open(member) as source, target.open("wb") as out:
        while chunk := source.read(CHUNK):
            if written == 0 and chunk.startswith(ARCHIVE_MARKS):
                raise _Unfit(_nested(target.suffix))
            written += len(chunk)
            if written > left:
                raise _Unfit(_too_large("解压后的内容", f"解压后不超过 {limits.max_unpacked} 字节"))
            out.write(chunk)
    return written


def _too_large(found: str, expected: str) -> Problem:
    return problem(
        "too_large",
        f"压缩包过大({found})",
        found=found,
        expected=expected,
        fix="请只压缩这个矿的矿区范围图层",
    )


def _nested(shown: str) -> Problem:
    return problem(
        "nested_archive",
        f"压缩包里又有压缩文件“{shown}”",
        found=shown,
        expected="直接放着 .shp、.shx、.dbf、.prj 的压缩包",
        fix="请解开里面的压缩文件再重新压缩",
    )


def _missing_part(suffix: str) -> Problem:
    why = ",无法知道坐标系" if suffix == ".prj" else ""
    return problem(
        "missing_prj" if suffix == ".prj" else "missing_part",
        f"压缩包里缺少与 .shp 同名的 {suffix} 文件{why}",
        found=f"没有 {suffix}",
        expected="同名的 .shp、.shx、.dbf、.prj 四个文件",
        fix=f"请把 {suffix} 文件一起压缩;没有时请在制图软件里定义坐标系后重新导出"
        if suffix == ".prj"
        else f"请把 {suffix} 文件一起压缩",
    )


def _not_shapefile() -> Problem:
    return problem(
        "not_shapefile",
        "压缩包里没有 Shapefile 图层",
        found="没有可用的 .shp 文件",
        expected="同名的 .shp、.shx、.dbf、.prj 四个文件",
        fix="请把这四个文件放在一起压缩成 zip",
    )


def _not_zip() -> Problem:
    return problem(
        "not_zip",
        "这不是完好的 zip 压缩包",
        found="打不开或已损坏",
        expected="没有密码的 zip 压缩包",
        fix="请重新压缩后再上传,不要只改扩展名",
    )
