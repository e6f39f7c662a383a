"""Hash passwords at a cost that many sign-ins at once can afford, and hold them to the rules."""

from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password
from django.core.exceptions import ValidationError


class ModestArgon2(Argon2PasswordHasher):
    """Use 19 MiB, two passes, one lane, as OWASP says; 100 MiB would starve a small server."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1


class CharacterClasses:
    """Ask for several kinds of characters, as 等保 wants; 1 switches the rule off.

    ASVS 5.0 6.2.5 advises against it; docs/security.md says why it is kept.
    """

    def __init__(self, classes: int = 3) -> None:
        self.classes = classes

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002
        """Raise ValidationError when there are too few kinds."""
        kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
        if sum(any(kind(c) for c in password) for kind in kinds) < self.classes:
            raise ValidationError(self.get_help_text(), code="password_classes")

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return f"密码要包含大写字母、小写字母、数字、符号中的至少 {self.classes} 种。"


class NotOfThisPlace:
    """Refuse passwords built on names that everybody here would try first."""

    words = ("shuozhou", "feimei", "kuangshan", "zhuanban", "朔州", "朔城", "平鲁", "山阴", "应县",
             "右玉", "怀仁", "非煤", "矿山", "专班")  # fmt: skip

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002
        """Raise ValidationError for a local word."""
        if any(word in password.lower() for word in self.words):
            raise ValidationError(self.get_help_text(), code="password_local_word")

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return "密码不能包含地名、单位名和本系统的名称。"


class NotUsedBefore:
    """Refuse the last passwords of the same person."""

    def __init__(self, kept: int = 5) -> None:
        self.kept = kept

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a password that this person has had."""
        if user is None or user.pk is None:
            return
        used = list(user.passwords_used.values_list("password", flat=True)[: self.kept])
        if any(check_password(password, each) for each in used):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def password_changed(self, _password: str, user: Any) -> None:
        """Remember the new one by its hash, forget those that count no longer."""
        user.passwords_used.create(password=user.password)
        old = user.passwords_used.values_list("pk", flat=True)[self.kept :]
        user.passwords_used.filter(pk__in=list(old)).delete()

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return f"密码不能与最近用过的 {self.kept} 个相同。"
