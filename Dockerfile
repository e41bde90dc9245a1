# syntax=docker/dockerfile:1
# The product, and on top of it the sandbox for demos:
#   docker build --target product .    web, worker, beat and every command
#   docker build --target sandbox .    the emulated gateways; never a part of the product's image

FROM python:3.11-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt /
RUN /venv/bin/pip install --requirement /requirements.txt

FROM python:3.11-slim-bookworm AS product
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_PORT=8000 \
    STATIC_ROOT=/srv/static
# A number, so that an orchestrator can see that it is not root.
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin payments
COPY --from=packages /venv /venv
WORKDIR /srv/app
COPY manage.py ./
COPY money money
COPY privacy privacy
COPY durable durable
COPY gateways gateways
COPY audit audit
COPY backoffice backoffice
COPY accounts accounts
COPY notifications notifications
COPY orders orders
COPY payments payments
COPY checkout checkout
COPY api api
COPY ops ops
COPY config config
COPY locale locale
COPY templates templates
# Compiled while we may still write; later the file system is read-only. The settings of this one
# line are made up on the spot and stand in no layer.
RUN python -m compileall -q -j 0 . \
    && random() { python -c 'import secrets; print(secrets.token_urlsafe(48))'; } \
    && SECRET_KEY=$(random) JWT_SIGNING_KEY=$(random) BASE_URL=https://build.invalid \
       FIELD_ENCRYPTION_KEYS=$(python -c 'from cryptography.fernet import Fernet as F; print(F.generate_key().decode())') \
       DATABASE_URL=postgres://build:$(random)@build.invalid/build \
       REDIS_URL=redis://:$(random)@build.invalid/0 \
       python manage.py collectstatic --noinput
USER 10001:10001
EXPOSE 8000
CMD ["granian", "--interface=wsgi", "--no-ws", "--respawn-failed-workers", "config.wsgi:application"]

FROM product AS sandbox
USER root
COPY requirements-dev.txt /
RUN pip install --no-cache-dir "$(sed -n 's/^\(aiohttp==[^ ]*\).*/\1/p' /requirements-dev.txt)" \
    && install -d -o 10001 -g 10001 /srv/sandbox
COPY sandbox sandbox
USER 10001:10001
EXPOSE 8100
CMD ["python", "-m", "sandbox"]

# What `docker build .` makes when nobody names a target.
FROM product
