# leaktrack as an image: the library, to be copied from it, and the report. Built from the top of leaktrack's source:
#
#     docker build -t leaktrack -f docs/example/container/leaktrack.Dockerfile .
#
# BASE: Debian 12 or newer, Ubuntu 22.04 or newer. The library then runs wherever glibc is 2.35 or newer.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
COPY . /src
WORKDIR /src
RUN tools/install-deps build && \
    cmake --preset release -DLEAKTRACK_TESTS=OFF && \
    cmake --build --preset release -j "$(nproc)" && \
    cmake --install build/release --prefix /opt/leaktrack

FROM ${BASE}
RUN --mount=type=bind,source=tools/install-deps,target=/install-deps \
    /install-deps run && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/leaktrack /opt/leaktrack
ENV PATH=/opt/leaktrack/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
