# Build: docker build -t walkaround .
# Run:   docker run -p 8080:8080 -v walkaround-data:/data walkaround
# For another architecture: docker buildx build --platform linux/arm64 -t walkaround . (it is cross-compiled, not emulated)

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Static, so that the image needs no C library; time zones and fonts are inside the binary.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -tags nodynamic -ldflags="-s -w" -o /out/walkaround ./cmd/walkaround \
    && mkdir /out/data /out/tmp

# Nothing but the binary, the certificates of public authorities (for timestamps, webhooks, MongoDB and MinIO) and two folders:
# no shell. About 25 MB compressed.
FROM scratch
LABEL org.opencontainers.image.title="Walkaround" \
      org.opencontainers.image.description="The service lane of a car dealer" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/walkaround /usr/local/bin/walkaround
COPY --from=build /src/LICENSE /usr/share/doc/walkaround/LICENSE
COPY --from=build --chmod=1777 /out/tmp /tmp
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
ENV WALKAROUND_ADDR=:8080 WALKAROUND_DATA=/data
USER 65532:65532
EXPOSE 8080 8081
VOLUME /data
STOPSIGNAL SIGTERM
# Alive, not ready: an engine that starts unhealthy containers anew must not do so because MongoDB is away.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["/usr/local/bin/walkaround", "health"]
ENTRYPOINT ["/usr/local/bin/walkaround"]
CMD ["serve"]
