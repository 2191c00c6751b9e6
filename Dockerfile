# SPDX-License-Identifier: MIT
#
# Praxis in an image, of Debian 12, or of 13 with --build-arg BASE=debian:trixie-slim. How to run it
# is in docs/operations.md, "Containers"; every variable in docs/configuration.md, "Environment of the
# default configuration".
#
#   docker build -t praxis --build-arg REVISION="$(git rev-parse HEAD)" .
#
# The dashboard is bundled with packages from npm's registry; --build-arg DASHBOARD=disabled leaves it
# out, and needs Debian's packages alone.

ARG BASE=debian:bookworm-slim

# ---- what is built; with --target build, what a service of one's own is built with ----

FROM ${BASE} AS build
ARG DASHBOARD=enabled
RUN apt-get update && apt-get install -y --no-install-recommends \
		gcc libc6-dev meson ninja-build pkg-config python3 \
		libwebsockets-dev libwebsockets-evlib-uv libuv1-dev libjson-c-dev libssl-dev \
		libcurl4-openssl-dev librhonabwy-dev \
	&& if [ "$DASHBOARD" != disabled ]; then \
		apt-get install -y --no-install-recommends ca-certificates nodejs npm; \
	fi
WORKDIR /src
COPY client/package.json client/package-lock.json client/
RUN if [ "$DASHBOARD" != disabled ]; then npm --prefix client ci; fi
COPY . .
RUN meson setup --prefix=/usr --sysconfdir=/etc --libdir=lib --buildtype=release -Dtests=disabled \
		-Dbench=disabled -Ddashboard="$DASHBOARD" /build \
	&& meson install -C /build \
	&& DESTDIR=/image meson install -C /build \
	&& rm -r /image/usr/include /image/usr/lib/pkgconfig \
	&& chmod -R a+rX /image
# What it needs at run time, by the names that this Debian has for it: the packages of the libraries
# that the binaries ask for, and the one that libwebsockets loads by itself.
RUN scripts/runtime-packages /image/usr/bin/praxisd /image/usr/lib/libpraxis.so \
		/image/usr/lib/praxis/plugins/*.so > /runtime-packages \
	&& echo libwebsockets-evlib-uv >> /runtime-packages

# ---- what that runs on ----

FROM ${BASE} AS runtime
COPY --from=build /runtime-packages /tmp/
# One user, whose number no other package can take. Nobody becomes another one in here, so no file needs
# the right to make somebody that.
RUN apt-get update \
	&& xargs apt-get install -y --no-install-recommends < /tmp/runtime-packages \
	&& apt-get clean \
	&& rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /tmp/runtime-packages \
	&& groupadd --gid 9002 praxis \
	&& useradd --uid 9002 --gid 9002 --no-create-home --home-dir /nonexistent \
		--shell /usr/sbin/nologin praxis \
	&& install -d -m 700 -o 9002 -g 9002 /var/lib/praxis /var/log/praxis \
	&& find / -xdev -type f -perm /6000 -exec chmod a-s '{}' +

# ---- what is in it, as a list ----

FROM build AS list
ARG VERSION=0.1.0
ARG REVISION=
COPY --from=runtime /usr/lib/os-release /list/etc/os-release
COPY --from=runtime /var/lib/dpkg /list/var/lib/dpkg
COPY --from=runtime /usr/share/doc /list/usr/share/doc
RUN mkdir -p /list/usr/share/praxis \
	&& if [ -d /image/usr/share/praxis/dashboard ]; then \
		cp -r /image/usr/share/praxis/dashboard /list/usr/share/praxis/; \
	fi \
	&& scripts/sbom /list "$VERSION" "$REVISION" > /sbom.cdx.json

# ---- the image ----

FROM runtime
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=
ARG SOURCE=https://praxis.invalid/praxis
COPY --from=build /image /
COPY --from=list /sbom.cdx.json /usr/share/praxis/
LABEL org.opencontainers.image.title="Praxis" \
	org.opencontainers.image.description="WebSocket server for medical practices: whiteboards, calls, administration" \
	org.opencontainers.image.licenses="MIT" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}" \
	org.opencontainers.image.source="${SOURCE}" \
	org.opencontainers.image.documentation="${SOURCE}" \
	org.opencontainers.image.base.name="${BASE}"
# All addresses are the container's own. Without a key for tokens that is refused, and no port is opened.
# The drain leaves two of the ten seconds of "docker stop" for the state.
ENV PRAXIS_PLUGIN_DIR=/usr/lib/praxis/plugins \
	PRAXIS_STATE_FILE=/var/lib/praxis/state \
	PRAXIS_INTERFACE=* \
	PRAXIS_DRAIN_DEADLINE_MS=8000
# Numbers, so that runAsNonRoot can tell, and so that a secret of the host can be given to them.
USER 9002:9002
VOLUME ["/var/lib/praxis", "/var/log/praxis"]
EXPOSE 9002
STOPSIGNAL SIGTERM
# OCI images have none: builders of these (buildah without --format docker, kaniko) leave it out, and
# Kubernetes ignores it. "praxisd --health" is the probe's command there.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["praxisd", "--health"]
ENTRYPOINT ["praxisd"]
