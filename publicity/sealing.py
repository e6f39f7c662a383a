"""Seal what may name a person: AES-256-GCM under a key that has a name, so that keys can change.

A sealed text is the key's name and a zero byte, the nonce (12 bytes), then text and tag. The
receipt number goes in as associated data, so that nothing sealed can be moved to another case.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from shuozhou_mines.errors import Refused

NONCE_BYTES = 12
KEY_BYTES = 32


class NotReadable(Refused):
    """Refuse to show what no configured key opens."""


def seal(text: bytes, *, about: str) -> bytes:
    """Return the text sealed with the current key for the case of this receipt number."""
    name, key = next(iter(keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    return name.encode() + b"\0" + nonce + AESGCM(key).encrypt(nonce, text, about.encode())


def unseal(sealed: bytes, *, about: str) -> bytes:
    """Return the sealed text; raise NotReadable when its key is missing or it was altered."""
    name, _, rest = bytes(sealed).partition(b"\0")
    key = keys().get(name.decode(errors="replace"))
    if key is None:
        raise NotReadable("身份信息的密钥不在系统里，无法读取。请把对应编号的旧密钥加回设置。")
    try:
        return AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], about.encode())
    except InvalidTag as error:
        raise NotReadable("身份信息已损坏或被改动，无法读取。请从备份恢复这条记录。") from error


def current_key_name() -> str:
    """Return the name of the key that seals now."""
    return next(iter(keys()))


def keys() -> dict[str, bytes]:
    """Return the configured keys by name, the current one first.

    Raise ImproperlyConfigured when there is none, or one is not 32 bytes in base64.
    """
    found: dict[str, bytes] = {}
    for entry in settings.IDENTITY_KEYS:
        name, _, text = entry.partition(":")
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError:
            key = b""
        if not name or len(name) > 20 or len(key) != KEY_BYTES:
            raise ImproperlyConfigured("PORTAL_IDENTITY_KEYS: name:base64 of 32 bytes, by commas")
        found[name] = key
    if not found:
        raise ImproperlyConfigured("PORTAL_IDENTITY_KEYS is empty; objections need a key")
    return found
