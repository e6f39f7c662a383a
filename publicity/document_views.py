"""Hand out the published files, and list them."""

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import condition, require_safe

from publicity.caching import public_page
from publicity.downloads import download
from publicity.models import PublicDocument


def _document_tag(_request: HttpRequest, document_id: int) -> str | None:
    digest = PublicDocument.objects.in_force().filter(pk=document_id).values_list("sha256").first()
    return f'"{digest[0]}"' if digest else None


@login_not_required
@require_safe
@condition(etag_func=_document_tag)
def public_document(request: HttpRequest, document_id: int) -> HttpResponse | FileResponse:
    """Hand out one published file."""
    document = get_object_or_404(PublicDocument.objects.in_force(), pk=document_id)
    return download(
        request, document.file, name=document.file_name, content_type=document.content_type
    )


@login_not_required
@require_safe
@public_page
def open_data(request: HttpRequest) -> HttpResponse:
    """List the published data files with their hashes."""
    documents = PublicDocument.objects.in_force().select_related("notice").defer("notice__content")
    ordered = documents.order_by("-notice__published_at", "pk")
    return render(request, "publicity/open_data.html", {"documents": ordered})
