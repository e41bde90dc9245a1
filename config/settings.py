"""All settings, from the environment only. ``.env.example`` names every one of them."""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF
from kombu import Queue

from config import roles
from config.environment import (
    IS_PRODUCTION,
    encryption_keys,
    env,
    public_url,
    refuse_in_production,
    require_different,
    secret,
    server_url,
)
from config.gateway_accounts import with_accounts
from config.gateway_settings import psps
from ops.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent

# --- The site -------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
refuse_in_production({"DEBUG": DEBUG})
SECRET_KEY = secret("SECRET_KEY")
JWT_SIGNING_KEY = secret("JWT_SIGNING_KEY")
# Two secrets, so that one that leaks cannot be used in place of the other.
require_different({"SECRET_KEY": SECRET_KEY, "JWT_SIGNING_KEY": JWT_SIGNING_KEY})
# Links that leave this system (return pages, webhooks, e-mails) start with this, never with
# the Host header of a request.
BASE_URL = public_url("BASE_URL", "http://127.0.0.1:8000")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["*"])
SHOP_NAME = env.str("SHOP_NAME", default="Demo Shop")
# Where the API may send a shopper back to, besides ourselves: origins such as https://shop.vn
RETURN_ORIGINS = env.list("RETURN_ORIGINS", default=[])
# Where forms may lead besides ourselves: the origins of the gateways' pay pages.
GATEWAY_ORIGINS = env.list("GATEWAY_ORIGINS", default=[])
# How many proxies in front of us add to X-Forwarded-For; 0: the header is not believed.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

INSTALLED_APPS = [
    "config.apps.PaymentsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "pgtrigger",
    "axes",
    "csp",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "money",
    "durable",
    "audit",
    "backoffice",
    "accounts",
    "notifications",
    "orders",
    "payments",
    "checkout",
    "api",
    "config",
]

MIDDLEWARE = [
    # Probes and scrapers call us by address and without TLS: they are answered before anything
    # looks at the host or sends them to https.
    "ops.health.ProbeMiddleware",
    "ops.metrics.RequestTimingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "audit.middleware.RequestContextMiddleware",
    "ops.form_rate_limit.FormLimitMiddleware",
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
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "checkout.context.shop",
            ],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.db_url_config(server_url("DATABASE_URL", "postgres://127.0.0.1:5432/payments")),
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE_S", default=600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            # A waiter gives up before a person does, and a dead client cannot hold a lock.
            "options": "-c lock_timeout=3s -c statement_timeout=10s"
            " -c idle_in_transaction_session_timeout=15s",
            "keepalives_idle": 30,
            "tcp_user_timeout": 15000,
        },
    }
}
REDIS_URL = server_url("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # Nothing waits long for a rate limit: what cannot be counted is let through.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

# --- Language and time ----------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("vi", "Tiếng Việt")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
# The clock on people's pages and in their mails.
SHOP_TIME_ZONE = env.str("SHOP_TIME_ZONE", default="Asia/Ho_Chi_Minh")
USE_I18N = True
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = BASE_URL.startswith("https")
USE_TZ = True

# --- Static files ---------------------------------------------------------------------------
STATIC_URL = "/static/"
# Production collects and hashes them once; everywhere else they are served where they lie.
STATIC_ROOT = (
    Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "var" / "static")))
    if IS_PRODUCTION
    else None
)
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Who may sign in ------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# See ``config/roles.py``.
ROLE_PERMISSIONS = roles.ROLE_PERMISSIONS
READABLE_APPS = roles.READABLE_APPS
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/checkout/orders"
LOGOUT_REDIRECT_URL = "/"
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURES_MAX", default=8)
AXES_COOLOFF_TIME = timedelta(minutes=30)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "accounts.client_ip.client_ip"
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_CALLABLE = "api.errors.locked_out"
AXES_SENSITIVE_PARAMETERS = ["password", "token"]

SESSION_COOKIE_SECURE = BASE_URL.startswith("https")
SESSION_COOKIE_AGE = 8 * 3600
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [BASE_URL]
CSRF_FAILURE_VIEW = "api.errors.form_refused"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.AccessTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.api.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": "api.api.OnlyVersion",
    "DEFAULT_VERSION": "1",
    "ALLOWED_VERSIONS": ["1"],
    "DEFAULT_PAGINATION_CLASS": "api.api.NewestFirstPagination",
    "EXCEPTION_HANDLER": "api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_THROTTLE_RATES": {
        "token": env.str("RATE_TOKEN", default="30/min"),
        "writes": env.str("RATE_WRITES", default="600/min"),
        "forms": env.str("RATE_FORMS", default="300/min"),
    },
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.int("ACCESS_TOKEN_MINUTES", default=15)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ALGORITHM": "HS256",
    "AUDIENCE": "payments-api",
    "ISSUER": "payments",
    "USER_ID_CLAIM": "sub",
    "TOKEN_USER_CLASS": "accounts.authentication.TokenHolder",
    "LEEWAY": 5,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Payments API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "FailureCode": "api.openapi.FAILURE_CODES",
        "NextActionType": "api.openapi.NEXT_ACTIONS",
    },
    "SCHEMA_PATH_PREFIX": "/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.openapi.complete",
    ],
}

# --- The browser's protection ---------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Chromium applies form-action to the redirects that follow a form, and paying ends at
        # the gateway's page: its origin is allowed where the settings name it.
        "form-action": [SELF, *GATEWAY_ORIGINS],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=IS_PRODUCTION)
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_HSTS_PRELOAD = IS_PRODUCTION
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Newest first: encrypts with the first, reads with all of them.
FIELD_ENCRYPTION_KEYS = encryption_keys("FIELD_ENCRYPTION_KEYS")

# --- Gateways -------------------------------------------------------------------------------
# The gateways emulated on this machine (see ``sandbox/``). Real money never goes there.
SANDBOX_URL = env.str("SANDBOX_URL", default="").rstrip("/")
refuse_in_production({"SANDBOX_URL": SANDBOX_URL})

# One entry for each PSP, and one for each further account of ours there.
PSPS = psps(sandbox_url=SANDBOX_URL, shop_name=SHOP_NAME)
GATEWAYS = with_accounts(PSPS, env.dict("GATEWAY_ACCOUNTS", default={}))
# Which gateways serve which method: changing this moves a method without touching code. The
# first that can take a payment gets it; the others stand in while it cannot be reached.
METHOD_GATEWAYS = {
    method: tuple(names.split("|"))
    for method, names in env.dict(
        "METHOD_GATEWAYS",
        default={"card": "stripe", "paypal": "paypal", "vnpay": "vnpay", "momo": "momo"},
    ).items()
}
# 1.0 in production. Tests shorten every wait of the query schedules by it.
QUERY_SCHEDULE_SCALE = env.float("QUERY_SCHEDULE_SCALE", default=1.0)
# A lease outlasts both timeouts of a call and this much more.
LEASE_MARGIN_S = env.float("LEASE_MARGIN_S", default=15.0)
PREFER_WAIT_MAX_S = 10
WEB_THREADS = env.int("WEB_THREADS", default=8)

# --- Work in the background -----------------------------------------------------------------
DUE_QUEUES = {
    **{f"gateway.{name}": "payments.tasks.GatewayQueue" for name in GATEWAYS},
    "webhooks": "payments.tasks.WebhookQueue",
    "notifications": "notifications.tasks.NotificationQueue",
}
# Each queue is worked by one thread of a worker at a time. With a thread for each queue and two to
# spare, gateways that are slow, and be it all of them, never keep the others waiting.
CELERY_WORKER_CONCURRENCY = env.int("WORKER_THREADS", default=len(DUE_QUEUES) + 2)
SWEEP_EVERY_S = env.float("SWEEP_EVERY_S", default=3.0)
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "sweep"
# Messages are hints and need no acknowledgement: a lost one costs a sweep. Keeping track of them
# would cost two more round trips each, and a worker that loses its broker while it holds one
# would crash when it tries to give it back.
CELERY_TASK_QUEUES = [Queue(name, no_ack=True) for name in ["sweep", *DUE_QUEUES]]
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "ops.beat:HeartbeatScheduler"
# Beat touches this file at every turn, for a health check that looks at its age.
BEAT_HEARTBEAT_FILE = env.str("BEAT_HEARTBEAT_FILE", default="")
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "durable.sweep",
        "schedule": SWEEP_EVERY_S,
        # A sweep that was not taken in time is dropped: the next one finds the same rows.
        "options": {"expires": max(SWEEP_EVERY_S * 2, 5.0)},
    },
}

# --- Operators ------------------------------------------------------------------------------
# Who names it may read /metrics; without it the page does not exist.
METRICS_TOKEN = secret("METRICS_TOKEN") if env.str("METRICS_TOKEN", default="") else ""

# --- Messages to people ---------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Demo Shop <shop@example.com>")
SHOP_DOMAIN = env.str("SHOP_DOMAIN", default="localhost")
EMAIL_TIMEOUT = 10

LOGGING = logging_config(
    level=env.str("LOG_LEVEL", default="INFO"),
    as_json=env.bool("LOG_JSON", default=IS_PRODUCTION),
)
