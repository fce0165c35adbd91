# The command in an image: its wheel, what the wheel needs at the tested versions, and nothing of the source.
#   docker build --tag cancel-contracts .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" --network host cancel-contracts verify --target target.yaml
# Tokens: --env ADMIN_TOKEN, under the names that the target file reads (token_env). None is ever part of the image.

FROM python:3.11.14-slim-trixie AS build
WORKDIR /source
COPY .ci/constraints.txt pyproject.toml README.md LICENSE ./
COPY specs specs/
COPY contracts contracts/
RUN python -m pip wheel --no-cache-dir --disable-pip-version-check \
      --constraint constraints.txt --wheel-dir /wheels .

FROM python:3.11.14-slim-trixie
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
      --no-index /wheels/*.whl \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin contracts
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# Numbers, so that a cluster which demands a user other than root can see that it is one.
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["cancel-contracts"]
CMD ["--help"]
