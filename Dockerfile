# Builds with no argument: docker build -t delta-producer-background-jobs-initiator .
#
# The tag moves with Python's patch releases and Debian's fixes. To build the very same image again, put the digest
# behind it that `docker pull` prints: FROM python:3.13-slim-trixie@sha256:... AS base
FROM python:3.13-slim-trixie AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONFAULTHANDLER=1


FROM base AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
COPY requirements.txt /tmp/
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv/bin/python install \
        --compile --require-hashes --only-binary :all: -r /tmp/requirements.txt
WORKDIR /app
# .dockerignore lets the service's own files through and nothing else.
COPY . .
RUN chmod -R a+rX . && python -m compileall -q .


FROM base
LABEL org.opencontainers.image.title="delta-producer-background-jobs-initiator" \
      org.opencontainers.image.description="Creates the initial sync, healing and dump jobs of a delta producer" \
      org.opencontainers.image.licenses="MIT"

# What operators call with `docker compose exec`; curl is the health check's, too.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends bash curl wget \
    && rm -rf /var/lib/apt/lists/*

# By number, so that an orchestrator can tell that it is not root. Files mounted at /config must be readable for it.
RUN groupadd --gid 1000 initiator \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /app --shell /bin/bash initiator \
    && mkdir /config

COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER 1000:1000

# Port 80, since every stack expects it there. Docker lets any user listen on it; a runtime that doesn't needs
# another PORT.
ENV PATH="/opt/venv/bin:$PATH" \
    PORT=80 \
    MU_SPARQL_ENDPOINT=http://database:8890/sparql
EXPOSE 80

HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD curl -fsS --noproxy '*' --max-time 8 --output /dev/null "http://localhost:${PORT:-80}/health/live"

CMD ["python", "app.py"]
