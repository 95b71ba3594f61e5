# Asterisk of Debian sid: Debian's releases carry none. Its configuration comes by a volume.

FROM debian:sid-slim
# The numbers of the account are those of the volumes (see server.Dockerfile). An empty volume takes
# after the directory of whichever container is made first: where it is shared, both are the same.
RUN groupadd --gid 10002 asterisk \
    && useradd --uid 10002 --gid 10002 --home-dir /var/lib/asterisk --no-create-home \
        --shell /usr/sbin/nologin asterisk \
    && apt-get update \
    && apt-get install -y --no-install-recommends asterisk asterisk-config asterisk-modules \
    && rm -rf /var/lib/apt/lists/* /etc/asterisk/* \
    && install -d -o 10002 -g 10002 -m 0755 /var/lib/asterisk /var/log/asterisk /var/spool/asterisk /run/asterisk \
    && install -d -o 10001 -g 10002 -m 0750 /etc/asterisk /usr/share/asterisk/sounds/vi/tstn
COPY deploy/docker/asterisk-start /usr/local/bin/asterisk-start
USER 10002:10002
CMD ["asterisk-start"]
