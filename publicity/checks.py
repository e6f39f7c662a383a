"""Check at the start that the public can be answered safely."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from publicity.sealing import keys


@register()
def identity_keys(**_: Any) -> list[CheckMessage]:
    """Refuse to start without a sound key for the identities of objectors."""
    try:
        keys()
    except ImproperlyConfigured as error:
        hint = (
            "Make one: python3 -c 'import base64, os;"
            ' print("k1:" + base64.b64encode(os.urandom(32)).decode())\''
        )
        return [Error(str(error), hint=hint, id="publicity.E001")]
    return []
