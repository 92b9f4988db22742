# The service alone: no torch, no compiler, no root.
#
#     docker build -t upscaler .
#     docker run -p 127.0.0.1:50051:50051 upscaler

FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE THIRD_PARTY_NOTICES.md ./
COPY core core
COPY protos protos
COPY serving serving
COPY srgan srgan
COPY tools tools
RUN python -m venv /opt/upscaler \
 && /opt/upscaler/bin/pip install --no-cache-dir --no-compile .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin upscaler
COPY --from=build /opt/upscaler /opt/upscaler
ENV PATH=/opt/upscaler/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp \
    UPSCALER_HOST=0.0.0.0 \
    UPSCALER_INSECURE=true \
    UPSCALER_LOG_FORMAT=json \
    UPSCALER_METRICS_HOST=0.0.0.0 \
    UPSCALER_METRICS_PORT=9090
USER 10001
EXPOSE 50051 9090
STOPSIGNAL SIGTERM
# It finds the server by the same UPSCALER_ variables; see docs/serving.md.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "serving.health"]
ENTRYPOINT ["python", "-m", "serving.server"]
