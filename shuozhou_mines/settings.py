"""Configure the portal from the environment; safe for production unless told otherwise."""

from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import environ
import pghistory
from csp.constants import NONE, SELF
from whitenoise.compress import Compressor

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

# --- where things are --------------------------------------------------------------------------
VAR_DIR = Path(env.str("PORTAL_VAR", default=str(BASE_DIR / "var" / "portal")))
MEDIA_ROOT = VAR_DIR / "media"
STATIC_ROOT = Path(env.str("PORTAL_STATIC_ROOT", default=str(VAR_DIR / "static")))
STATIC_URL = "/static/"
SITE_URL = env.str("PORTAL_SITE_URL", default="http://127.0.0.1:8000")

# --- core --------------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("PORTAL_DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "shuozhou_mines.urls"
WSGI_APPLICATION = "shuozhou_mines.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.humanize",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "guardian",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "drf_spectacular",
    "shuozhou_mines",
    "taskforce",
    "rulebook",
    "mines",
    "plans",
    "publicity",
    "supervision",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "shuozhou_mines.middleware.refuse_null_characters",
    "shuozhou_mines.middleware.AnswerWhenDatabaseIsDown",
    # Above sessions, CSRF and rights: what anybody may read costs none of them.
    "publicity.caching.answer_from_memory",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "taskforce.middleware.remember_address",
    "taskforce.middleware.write_down_refusals_and_downloads",
    "taskforce.session_rules.HoldSessionsToRules",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "shuozhou_mines.middleware.keep_private_pages_out_of_caches",
    "shuozhou_mines.middleware.ShowRefusals",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shuozhou_mines.navigation.portal",
            ],
        },
    }
]

# --- data --------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", engine="django.contrib.gis.db.backends.postgis")}
DATABASES["default"].update(
    CONN_MAX_AGE=60,
    CONN_HEALTH_CHECKS=True,
    ATOMIC_REQUESTS=False,
)
REDIS_URL = env.str("REDIS_URL")
CACHES = {
    # The default cache is in PostgreSQL, so that signing in does not depend on Redis.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
    },
}
SESSION_ENGINE = "taskforce.sessions"

# --- people ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "taskforce.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "desk"
LOGOUT_REDIRECT_URL = "public-home"
PASSWORD_HASHERS = ["taskforce.passwords.ModestArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {
        "NAME": "taskforce.passwords.CharacterClasses",
        "OPTIONS": {"classes": env.int("PORTAL_PASSWORD_CLASSES", default=3)},
    },
    {"NAME": "taskforce.passwords.NotOfThisPlace"},
    {
        "NAME": "taskforce.passwords.NotUsedBefore",
        "OPTIONS": {"kept": env.int("PORTAL_PASSWORDS_KEPT", default=5)},
    },
]
# 等保 asks for regular change; 0 switches it off. Demo accounts keep their password.
PASSWORD_MAX_AGE_DAYS = env.int("PORTAL_PASSWORD_MAX_AGE_DAYS", default=90)
# An invitation, also after a forgotten password, holds for a day.
PASSWORD_RESET_TIMEOUT = 24 * 3600
# A session ends after so many minutes without use, and SESSION_COOKIE_AGE after it began.
SESSION_IDLE_MINUTES = env.int("PORTAL_SESSION_IDLE_MINUTES", default=30)
# Dangerous steps ask for the password when it was last given longer ago than this.
CONFIRMED_MINUTES = env.int("PORTAL_CONFIRMED_MINUTES", default=15)
ACCOUNT_IDLE_DAYS = env.int("PORTAL_ACCOUNT_IDLE_DAYS", default=90)
GUARDIAN_RAISE_403 = False
GUARDIAN_GET_INIT_ANONYMOUS_USER = "taskforce.models.make_anonymous_user"
# By name and address together: a wrong password never locks the whole office out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_IPWARE_PROXY_COUNT = env.int("PORTAL_PROXY_COUNT", default=0)
AXES_VERBOSE = False
ATTEMPTS_KEPT_DAYS = env.int("PORTAL_ATTEMPTS_KEPT_DAYS", default=7)

# --- history -----------------------------------------------------------------------------------
PGHISTORY_APPEND_ONLY = True
# One entry into the history for all rows of a statement; no index that nobody looks into.
PGHISTORY_LEVEL = pghistory.Statement  # type: ignore[has-type]
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)

# --- language and time -------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False
FORMAT_MODULE_PATH = ["shuozhou_mines.formats"]

# --- files -------------------------------------------------------------------------------------
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "shuozhou_mines.browser_libraries.BrowserLibraryFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Maps are for developers' eyes; to compress them takes longer than all the rest.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640
MAX_LAYER_BYTES = env.int("PORTAL_MAX_LAYER_BYTES", default=20 * 1024 * 1024)
MAX_WORKBOOK_BYTES = env.int("PORTAL_MAX_WORKBOOK_BYTES", default=20 * 1024 * 1024)
MAX_ATTACHMENT_BYTES = 20 * 1024 * 1024

# --- the trail ---------------------------------------------------------------------------------
# Verified once a day after this hour; sent on to udp://host:port or tcp://host:port if given.
TRAIL_CHECK_HOUR = env.int("PORTAL_TRAIL_CHECK_HOUR", default=3)
TRAIL_SYSLOG = env.str("PORTAL_TRAIL_SYSLOG", default="")

# --- reports -----------------------------------------------------------------------------------
# The Work Plan names no day (六(四)); offices usually ask for the report by the 25th.
REPORT_DUE_DAY = env.int("PORTAL_REPORT_DUE_DAY", default=25)

# --- checks of the registry ----------------------------------------------------------------------
# The whole registry is checked once a day, after this hour; so many finished checks are kept.
REGISTRY_CHECK_HOUR = env.int("PORTAL_CHECK_HOUR", default=2)
REGISTRY_CHECKS_KEPT = env.int("PORTAL_CHECKS_KEPT", default=30)

# --- what the public sends in ------------------------------------------------------------------
# "name:base64 of 32 bytes", the current key first; former keys stay until all is sealed anew.
IDENTITY_KEYS = env.list("PORTAL_IDENTITY_KEYS", default=[])
if not IDENTITY_KEYS and (DEBUG or env.bool("PORTAL_HTTP", default=False)):
    # Trials on one machine: a key of their own from the secret. A server must be given one.
    IDENTITY_KEYS = [f"local:{b64encode(sha256(SECRET_KEY.encode()).digest()).decode()}"]
# Identities and attachments are deleted so long after the end of a case.
OBJECTION_KEPT_DAYS = env.int("PORTAL_OBJECTION_KEPT_DAYS", default=365)
OBJECTIONS_PER_HOUR = env.int("PORTAL_OBJECTIONS_PER_HOUR", default=10)
QUESTIONS_PER_HOUR = env.int("PORTAL_QUESTIONS_PER_HOUR", default=10)
LOOKUPS_PER_HOUR = env.int("PORTAL_LOOKUPS_PER_HOUR", default=20)
# Browsers without scripts cannot do the puzzle; so many of them are let in per hour, all together.
WITHOUT_PUZZLE_PER_HOUR = env.int("PORTAL_WITHOUT_PUZZLE_PER_HOUR", default=20)
PUZZLE_MOST = env.int("PORTAL_PUZZLE_MOST", default=60_000)
MAX_OBJECTION_FILES = 5
MAX_OBJECTION_FILE_BYTES = 10 * 1024 * 1024

# --- jobs --------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
_VISIBILITY_TIMEOUT = 900
CELERY_VISIBILITY_TIMEOUT = _VISIBILITY_TIMEOUT
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": _VISIBILITY_TIMEOUT,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    # What is due is decided in SQL, so that a missed or a doubled tick does no harm.
    "tick": {"task": "shuozhou_mines.jobs.tick", "schedule": 30.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

# --- interfaces --------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # Sessions come first: their answer to strangers is 403, and a token's header stays unread.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "taskforce.tokens.TokenAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["taskforce.tokens.TokenThrottle"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "shuozhou_mines.api.answer_refusals",
}
TOKEN_RATE = env.str("PORTAL_TOKEN_RATE", default="120/min")
SPECTACULAR_SETTINGS = {
    "TITLE": "朔州市非煤矿山整治整合专班门户接口",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {"ScaleUnitEnum": "standards.terms.ScaleUnit.choices"},
}

# --- what the browser is told ------------------------------------------------------------------
PLAIN_HTTP = env.bool("PORTAL_HTTP", default=False)
SECURE_SSL_REDIRECT = not PLAIN_HTTP
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 63072000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not PLAIN_HTTP
SECURE_HSTS_PRELOAD = not PLAIN_HTTP
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if env.bool("PORTAL_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # The proxy writes this header itself; without it every visitor has the proxy's address.
    AXES_IPWARE_META_PRECEDENCE_ORDER = ["HTTP_X_FORWARDED_FOR"]
X_FRAME_OPTIONS = "DENY"
_COOKIE_PREFIX = "" if PLAIN_HTTP else "__Host-"
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sid"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not PLAIN_HTTP
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# --- words that differ from city to city -------------------------------------------------------
DEMO = env.bool("PORTAL_DEMO", default=False)
SITE_FOOTER = {
    "unit": env.str("PORTAL_UNIT", default="朔州市非煤行业管理及综合整治整合工作专班办公室"),
    "host": env.str("PORTAL_HOST_UNIT", default="朔州市规划和自然资源局"),
    "contact": env.str("PORTAL_CONTACT", default="0349-0000000（示例）"),
    "site_code": env.str("PORTAL_SITE_CODE", default="1406000000（示例）"),
    "icp": env.str("PORTAL_ICP", default="晋ICP备00000000号（示例）"),
    "police": env.str("PORTAL_POLICE", default="晋公网安备 00000000000000号（示例）"),
    "address": env.str("PORTAL_ADDRESS", default="山西省朔州市朔城区（示例地址）"),
    "postcode": env.str("PORTAL_POSTCODE", default="036000（示例）"),
    "email": env.str("PORTAL_EMAIL", default="zhuanban@example.cn（示例）"),
    # The address that the national office gives out for 我为政府网站找错; no link without it.
    "error_report_url": env.str("PORTAL_ERROR_REPORT_URL", default=""),
    "map_approval": env.str("PORTAL_MAP_APPROVAL", default="示例（县界为示意）"),
}

# --- mail and logs -----------------------------------------------------------------------------
EMAIL_BACKEND = env.str(
    "PORTAL_EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = env.str("PORTAL_FROM_EMAIL", default="portal@localhost")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "axes": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
    },
}
