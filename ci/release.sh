#!/usr/bin/env bash
# Builds all files of a release into release/: the wheel and the source distribution, a
# lock to install them by, a bill of materials, and the notes.
#
#   ci/release.sh v0.1.0 https://github.com/kopslint/kopslint
#
# The tag must be the version, and the address the one in pyproject.toml. What builds is
# locked, and the same commit gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
tag=$1 address=$2
rm -rf release .release
mkdir release
python3 -I -m venv .release
.release/bin/python -I -m pip install --quiet --disable-pip-version-check \
  --require-hashes --only-binary=:all: --requirement ci/locks/release.txt
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
.release/bin/python ci/release_notes.py "$tag" "$address" > release/notes.md
.release/bin/python -m build --no-isolation --outdir release/dist .
.release/bin/python -m twine check --strict release/dist/*
{
  echo "kopslint==${tag#v} --hash=sha256:$(sha256sum release/dist/*.whl | cut -d' ' -f1)"
  cat ci/locks/requirements.txt
} > release/kopslint.lock
.release/bin/cyclonedx-py requirements ci/locks/requirements.txt \
  --pyproject pyproject.toml --mc-type application --output-reproducible \
  --output-format JSON --output-file release/kopslint.cdx.json
ls -l release release/dist
