# kopslint and git, for a user without rights:
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/repository:ro" \
#     kopslint check --base origin/main
# With --build-arg EXTRA=-cel it knows the language of rules of your own. What is installed
# is locked, and a wheel is built of kopslint alone. The base is python:3.13-slim.
FROM python@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build
ARG EXTRA=
COPY . /source
RUN python -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: \
       --requirement /source/ci/locks/build.txt \
    && /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation \
       --wheel-dir /wheels /source \
    && python -m venv /opt/kopslint \
    && /opt/kopslint/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: \
       --requirement "/source/ci/locks/requirements${EXTRA}.txt" \
    && /opt/kopslint/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd kopslint
COPY --from=build /opt/kopslint /opt/kopslint
ENV PATH=/opt/kopslint/bin:$PATH
USER kopslint
WORKDIR /repository
ENTRYPOINT ["kopslint"]
