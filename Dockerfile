# SPDX-License-Identifier: MIT
#
# Praxis in an image, of Debian 12, or of 13 with --build-arg BASE=debian:trixie-slim.
#
#   docker build -t praxis .
#   (umask 077; head -c 32 /dev/urandom | base64 > secret); sudo chown 9002 secret
#   docker run --rm -e PRAXIS_SECRET_FILE=/run/secrets/praxis -e PRAXIS_INTERFACE='*' \
#       -v "$PWD/secret:/run/secrets/praxis:ro" -p 127.0.0.1:9002:9002 praxis
#
# Without a secret it is in open mode and listens on loopback addresses: of the container, where
# only --network host makes them useful. To publish the port instead, which lets in whoever reaches
# it, on the host's loopback address in this case:
#
#   docker run --rm -e PRAXIS_INTERFACE='*' -e PRAXIS_OPEN_MODE=insecure \
#       -p 127.0.0.1:9002:9002 praxis
#
# Environment: PRAXIS_PORT, PRAXIS_INTERFACE, PRAXIS_SECRET_FILE, PRAXIS_TOKEN_QUERY (true: tokens
# may come in the query), PRAXIS_ORIGINS (the origins whose pages may connect, with spaces between
# them; without it those of the same one alone), PRAXIS_TRUSTED_PROXIES, PRAXIS_OPEN_MODE, PRAXIS_OPEN_PRACTICE, PRAXIS_LOG_LEVEL and
# PRAXIS_STATE_FILE (/var/lib/praxis/state; it survives "docker stop" and "docker start", and a new
# container where /var/lib/praxis is a volume). A service is added by a file of its own:
#
#   -v "$PWD/50-notifications.json:/etc/praxis/conf.d/50-notifications.json:ro"
#
# and its .so goes to /usr/lib/praxis/plugins. A server in a container has its own time to stop:
# give "docker stop" more than drain-deadline-ms (10 s).
#
# It runs as user and group 9002, numbers so that runAsNonRoot can tell, and so that a secret or a
# volume of the host can be given to them. Builders of OCI images leave HEALTHCHECK out (buildah
# without --format docker, kaniko): there "praxisd --health" is the probe's command.

# The dashboard is bundled with packages from npm's registry; --build-arg DASHBOARD=disabled leaves it
# out, and needs Debian's packages alone.

ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
ARG DASHBOARD=enabled
RUN apt-get update && apt-get install -y --no-install-recommends \
		gcc libc6-dev meson ninja-build pkg-config \
		libwebsockets-dev libwebsockets-evlib-uv libuv1-dev libjson-c-dev libssl-dev \
		libcurl4-openssl-dev librhonabwy-dev \
	&& if [ "$DASHBOARD" != disabled ]; then \
		apt-get install -y --no-install-recommends ca-certificates nodejs npm; \
	fi
WORKDIR /src
COPY client/package.json client/package-lock.json client/
RUN if [ "$DASHBOARD" != disabled ]; then npm --prefix client ci; fi
COPY . .
RUN meson setup --prefix=/usr --libdir=lib --buildtype=release -Dtests=disabled -Dbench=disabled \
		-Ddashboard="$DASHBOARD" /build \
	&& DESTDIR=/image meson install -C /build \
	&& rm -r /image/usr/include /image/usr/lib/pkgconfig \
	&& chmod -R a+rX /image
# What it needs at run time, by the names that this Debian has for it: the packages of the libraries
# that the binaries ask for, and the one that libwebsockets loads by itself.
RUN scripts/runtime-packages /image/usr/bin/praxisd /image/usr/lib/libpraxis.so \
		/image/usr/lib/praxis/plugins/*.so > /runtime-packages \
	&& echo libwebsockets-evlib-uv >> /runtime-packages

FROM ${BASE}
COPY --from=build /runtime-packages /tmp/
RUN apt-get update \
	&& xargs apt-get install -y --no-install-recommends < /tmp/runtime-packages \
	&& apt-get clean \
	&& rm -rf /var/lib/apt/lists/* /tmp/runtime-packages \
	&& groupadd --gid 9002 praxis \
	&& useradd --uid 9002 --gid 9002 --no-create-home --home-dir /nonexistent \
		--shell /usr/sbin/nologin praxis \
	&& install -d -m 700 -o 9002 -g 9002 /var/lib/praxis
COPY --from=build /image /
ENV PRAXIS_PLUGIN_DIR=/usr/lib/praxis/plugins PRAXIS_STATE_FILE=/var/lib/praxis/state
USER 9002:9002
EXPOSE 9002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["praxisd", "--health"]
ENTRYPOINT ["praxisd"]
