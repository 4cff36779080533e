# Build: script/image, or docker build -t delta-producer-background-jobs-initiator .
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
        --no-compile --require-hashes --only-binary :all: -r /tmp/requirements.txt
WORKDIR /app
# .dockerignore admits only the files of the service.
COPY . .
# The same input gives the same files: all have the same time, and no byte code names the time of the build. The byte
# code of libraries is not compared with its source at each start. The base image has none of Python's own library, so
# Python writes that of what it imports here. Without it, an import of the service takes nearly twice as long.
RUN chmod -R a+rX . \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/venv \
    && python -m compileall -q --invalidation-mode checked-hash . \
    && touch /tmp/before \
    && env --unset=PYTHONDONTWRITEBYTECODE /opt/venv/bin/python -c \
        "import app, commands, web.health_check; commands.all_commands()" \
    && mkdir /service && cp -a /app /service/ \
    && find /usr -name '*.pyc' -newer /tmp/before -exec cp --parents -t /service {} + \
    && find /opt/venv /service -exec touch --no-dereference --date=@0 {} +


FROM base
LABEL org.opencontainers.image.title="delta-producer-background-jobs-initiator" \
      org.opencontainers.image.description="Creates the initial sync, healing and dump jobs of a delta producer" \
      org.opencontainers.image.version="2.0.0" \
      org.opencontainers.image.licenses="MIT"

# The layer that comes from Debian. Operators use the programs with `docker compose exec`. The user must be able to
# read the files in /config.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends bash curl wget \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 initiator \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /app --shell /bin/bash initiator \
    && mkdir /config

# The folders above, so that the copies of these folders keep their times.
COPY --from=build /opt /opt
COPY --from=build /service /
WORKDIR /app
# A number, so that an orchestrator can check that it is not root.
USER 1000:1000

# Every stack expects port 80. Docker allows any user to listen on it. A runtime that does not needs another PORT.
ENV PATH="/opt/venv/bin:$PATH" \
    PORT=80 \
    MU_SPARQL_ENDPOINT=http://database:8890/sparql
EXPOSE 80

HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["python", "-m", "web.health_check"]

CMD ["python", "app.py"]
