"""Hash passwords with Argon2id at a memory cost that many sign-ins at once can afford."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class ModestArgon2(Argon2PasswordHasher):
    """Use 19 MiB, two passes, one lane, as OWASP says; 100 MiB would starve a small server."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1
