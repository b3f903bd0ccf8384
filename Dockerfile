# syntax=docker/dockerfile:1
# The program in an image of its own, for every role: docker run … seckill:local gateway

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Both caches stay between builds, so that a changed line does not build four hundred crates.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p seckill && cp target/release/seckill /usr/local/bin/seckill

FROM debian:bookworm-slim
# Asks /readyz on a port of this container and fails unless the answer is 200. The image has no curl; bash will do.
COPY --chmod=0755 <<'EOF' /usr/local/bin/is-ready
#!/bin/bash
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
EOF
COPY --from=build /usr/local/bin/seckill /usr/local/bin/seckill
# A number, so that a cluster can see that it is not root.
USER 10001:10001
EXPOSE 8080 8081 8082
STOPSIGNAL SIGTERM
ENTRYPOINT ["seckill"]
