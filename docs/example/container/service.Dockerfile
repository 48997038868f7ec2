# A Go service that uses cgo, first as it is (target "service"), then with leaktrack, which takes no change to the program:
#
#     docker build -t service-tracked -f service.Dockerfile service
#     docker build -t service --target service -f service.Dockerfile service
#
# BASE: any image with a glibc that is 2.35 or newer and not older than that of the image GO. It needs no shell:
# gcr.io/distroless/base-debian12 will do. LEAKTRACK: what leaktrack.Dockerfile makes.
ARG GO=golang:1.22-bookworm
ARG BASE=debian:12-slim
ARG LEAKTRACK=leaktrack

FROM ${LEAKTRACK} AS leaktrack

FROM ${GO} AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=1 go build -o /service . && mkdir /dumps

FROM ${BASE} AS service
COPY --from=build /service /service
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/service"]

FROM service AS tracked
COPY --from=leaktrack /opt/leaktrack/lib/libleaktrack.so /opt/leaktrack/lib/libleaktrack.so
COPY --from=build --chown=65532:65532 /dumps /var/leaktrack
ENV LD_PRELOAD=/opt/leaktrack/lib/libleaktrack.so \
    LEAKTRACK_OUTPUT=/var/leaktrack/%e.%h.%t.bin
VOLUME /var/leaktrack
