"""Offer the registry to programs: read by all who may see mines, written by the office alone.

Every answer carries an ETag. A reader sends it back in If-None-Match and is spared what it has;
a writer must send it in If-Match, so that nobody overwrites what he has not seen.
"""

from hashlib import sha256
from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status, viewsets
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.pagination import PageNumberPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from mines.api_shapes import MineChange, MineDetailSerializer, MineInput, MineSerializer
from mines.filters import (
    FINDING_CHOICES,
    GROUP_CHOICES,
    LICENCE_CHOICES,
    SCALE_CHOICES,
    SIZE_CHOICES,
    SORTS,
    MineFilter,
    in_order,
)
from mines.mine_actions import PARTS, change_mine, register_mine
from mines.models import Mine, MineQuerySet
from standards.terms import Method, MineState
from taskforce.permissions import roles_of
from taskforce.roles import Role


class Stale(APIException):
    """Say that the mine has changed since the writer read it."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "这座矿山在你读取之后已被改过。请重新读取，核对后再提交修改。"


class Unread(APIException):
    """Say that the writer has to name what it has read."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = "修改时请在 If-Match 里写上读取这座矿山时得到的 ETag，以免覆盖别人的修改。"


class MinePages(PageNumberPagination):
    """Page through mines; `page_size` asks for at most 200."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def _one_of(name: str, words: str, choices: Any) -> OpenApiParameter:
    keys = [key for key, _ in choices]
    meant = "，".join(f"{key} {label}" for key, label in choices)
    return OpenApiParameter(name, str, enum=keys, description=f"{words}：{meant}")


FILTERS = [
    OpenApiParameter("q", str, description="名称、采矿权人、编号或证号里的文字，至少两个字。"),
    OpenApiParameter("county", str, description="县（市、区）行政区划代码，例如 140602。"),
    OpenApiParameter("mineral", str, description="矿种代码。"),
    OpenApiParameter("holder", str, description="采矿权人名称里的文字，至少两个字。"),
    _one_of("group", "矿类", GROUP_CHOICES),
    _one_of("method", "开采方式", Method.choices()),
    _one_of("state", "生产状态", MineState.choices()),
    _one_of("licence", "采矿许可证", LICENCE_CHOICES),
    OpenApiParameter("days", int, description="采矿许可证在这么多天以内到期。"),
    _one_of("size", "规模类别（按设计规模）", SIZE_CHOICES),
    _one_of("scale", "与最低规模比较", SCALE_CHOICES),
    _one_of("findings", "最近一次标准检查", FINDING_CHOICES),
    OpenApiParameter(
        "bbox", str, description="地图范围：西,南,东,北，经纬度（CGCS2000），用逗号隔开。"
    ),
    OpenApiParameter(
        "sort", str, enum=[*SORTS, *(f"-{key}" for key in SORTS)], description="排序；前加 - 倒序。"
    ),
]
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="上次得到的 ETag；没有变化时答复 304。",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="读取这座矿山时得到的 ETag。缺少时答复 428，已被改过时答复 412。",
)
REFUSALS = {400: None, 403: None, 404: None, 409: None, 412: None, 428: None}


@extend_schema_view(
    list=extend_schema(summary="列出矿山", parameters=[*FILTERS, IF_NONE_MATCH]),
    retrieve=extend_schema(
        summary="读取一座矿山",
        parameters=[IF_NONE_MATCH],
        responses={200: MineDetailSerializer, 304: None, 404: None},
    ),
    create=extend_schema(
        summary="登记一座矿山（市专班办公室）",
        request=MineInput,
        responses={201: MineDetailSerializer, 400: None, 403: None, 409: None},
    ),
    partial_update=extend_schema(
        summary="修改一座矿山（市专班办公室）",
        parameters=[IF_MATCH],
        request=MineChange,
        responses={200: MineDetailSerializer, **REFUSALS},
    ),
)
class MineViewSet(viewsets.GenericViewSet[Mine]):
    """List, read, register and change mines; the filters are those of the list on screen."""

    lookup_field = "registry_no"
    lookup_value_regex = "[^/]+"
    pagination_class = MinePages
    queryset = Mine.objects.none()

    def get_queryset(self) -> MineQuerySet:
        """Return the mines in the registry that the caller may see."""
        return Mine.objects.in_scope().visible_to(self.request.user).with_registry_facts()

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Mine]]:
        """Return the short form for lists, the full one for a single mine."""
        return MineSerializer if self.action == "list" else MineDetailSerializer

    def filter_queryset(self, queryset: Any) -> Any:
        """Apply the filters; a filter that cannot be read is an error, not an empty answer."""
        if self.action != "list":
            return queryset
        filters = MineFilter(self.request.GET, request=self.request)
        if not filters.is_valid():
            raise serializers.ValidationError(filters.form.errors)
        found = queryset.filter(listed__in=filters.listed.order_by())
        return in_order(found, self.request.GET.get("sort", ""), through="listed__")

    def list(self, request: Request) -> Response:
        """List the mines that the filters leave, page by page."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        answer = self.get_paginated_response(self.get_serializer(page, many=True).data)
        return _marked(request, answer.data)

    def retrieve(self, request: Request, registry_no: str) -> Response:  # noqa: ARG002
        """Show one mine with all that belongs to it."""
        return _marked(request, self._written(self.get_object()))

    def create(self, request: Request) -> Response:
        """Register a mine."""
        _check_office(request)
        facts, parts = _taken(MineInput(data=request.data))
        county = facts.pop("county")
        mine = register_mine(county_code=county.pk, facts=facts, parts=parts, by=request.user)
        found = self._written(self.get_queryset().get(pk=mine.pk))
        response = _marked(request, found, status.HTTP_201_CREATED)
        response["Location"] = self.reverse_action("detail", args=[mine.registry_no])
        return response

    @transaction.atomic
    def partial_update(self, request: Request, registry_no: str) -> Response:  # noqa: ARG002
        """Change what is given of a mine that the caller has read."""
        mine = self.get_object()
        _check_office(request)
        facts, parts = _taken(MineChange(data=request.data, partial=True))
        Mine.objects.select_for_update(of=("self",)).get(pk=mine.pk)
        _check_read(request, self._written(self.get_queryset().get(pk=mine.pk)))
        change_mine(mine_id=mine.pk, facts=facts, parts=parts, by=request.user)
        written = Mine.objects.visible_to(request.user).with_registry_facts().get(pk=mine.pk)
        return _marked(request, self._written(written))

    def _written(self, mine: Mine) -> Any:
        return MineDetailSerializer(mine, context=self.get_serializer_context()).data


def _mark(data: Any) -> str:
    return f'"{sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'


def _marks_in(header: str) -> set[str]:
    return {mark.strip().removeprefix("W/") for mark in header.split(",") if mark.strip()}


def _marked(request: Request, data: Any, code: int = status.HTTP_200_OK) -> Response:
    """Answer with the mark of what is answered; 304 when the reader has it already."""
    mark = _mark(data)
    has_it = request.method in ("GET", "HEAD") and mark in _marks_in(
        request.headers.get("If-None-Match", "")
    )
    response = Response(status=status.HTTP_304_NOT_MODIFIED) if has_it else Response(data, code)
    response["ETag"] = mark
    response["Cache-Control"] = "private, no-cache"
    return response


def _check_read(request: Request, data: Any) -> None:
    """Raise Unread or Stale unless the writer has read the mine as it stands."""
    header = request.headers.get("If-Match", "")
    if not header:
        raise Unread
    if header.strip() != "*" and _mark(data) not in _marks_in(header):
        raise Stale


def _check_office(request: Request) -> None:
    if (Role.OFFICE, None) not in roles_of(request.user):
        raise PermissionDenied("通过接口修改台账只对市专班办公室开放。请在台账页面导入或补充资料。")


def _taken(given: serializers.Serializer[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts and the parts of what was sent; raise what cannot be read."""
    given.is_valid(raise_exception=True)
    facts = dict(given.validated_data)
    parts = {name: facts.pop(name) for name in PARTS if name in facts}
    return facts, parts


router = SimpleRouter()
router.register("mines", MineViewSet, basename="mine-api")
urlpatterns = router.urls
