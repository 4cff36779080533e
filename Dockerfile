# Build: docker build -t delta-producer-background-jobs-initiator .
#
# The base image of this tag changes with patch releases of Python and fixes of Debian. For a repeatable build, add
# the digest that `docker pull` prints: FROM python:3.13-slim-trixie@sha256:... AS base
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
# .dockerignore admits only the files of the service.
COPY . .
RUN chmod -R a+rX . && python -m compileall -q .


FROM base
LABEL org.opencontainers.image.title="delta-producer-background-jobs-initiator" \
      org.opencontainers.image.description="Creates the initial sync, healing and dump jobs of a delta producer" \
      org.opencontainers.image.licenses="MIT"

# Operators use these with `docker compose exec`.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends bash curl wget \
    && rm -rf /var/lib/apt/lists/*

# A numeric user, so that an orchestrator can check that it is not root. It must be able to read files in /config.
RUN groupadd --gid 1000 initiator \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /app --shell /bin/bash initiator \
    && mkdir /config

COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER 1000:1000

# Every stack expects port 80. Docker allows any user to listen on it. A runtime that does not needs another PORT.
ENV PATH="/opt/venv/bin:$PATH" \
    PORT=80 \
    MU_SPARQL_ENDPOINT=http://database:8890/sparql
EXPOSE 80

HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["python", "-m", "web.health_check"]

CMD ["python", "app.py"]
