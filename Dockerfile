# The image is one static binary that runs as nobody in particular. It holds no
# PostgreSQL: set DATABASE_URL and COTEJO_SECRET_KEY (see compose.yaml).
# Where this file was written there was no container engine: docker_test.go and
# .ci/run check what can be checked without one.

FROM node:20.19-bookworm-slim AS npm
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=npm /src/node_modules node_modules
ARG VERSION=unknown
# CGO_ENABLED=0 makes it static; the last stage has no C library.
RUN go run ./static/build && \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/cotejo . && \
    mkdir /out/data

# Brings certificates, time zones and a user, and no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/cotejo /cotejo
COPY --from=build --chown=nonroot:nonroot /out/data /var/lib/cotejo
USER nonroot:nonroot
ENV COTEJO_DATA_DIR=/var/lib/cotejo \
    COTEJO_LISTEN=0.0.0.0:8080 \
    COTEJO_METRICS_LISTEN=0.0.0.0:9090
EXPOSE 8080 9090
VOLUME /var/lib/cotejo
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["/cotejo", "health"]
ENTRYPOINT ["/cotejo"]
CMD ["serve"]
