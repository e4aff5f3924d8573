# kopslint and git, for a user without rights:
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/repository:ro" \
#     kopslint check --base origin/main
# With --build-arg EXTRA=[cel] it knows the language of rules of your own.
FROM python:3.13-slim AS build
ARG EXTRA=
COPY . /source
RUN pip wheel --no-cache-dir --wheel-dir /wheels "/source${EXTRA}"

FROM python:3.13-slim
ARG EXTRA=
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links=/wheels "kopslint${EXTRA}" \
    && rm -rf /wheels \
    && useradd kopslint
USER kopslint
WORKDIR /repository
ENTRYPOINT ["kopslint"]
