#!/usr/bin/env bash
# Tests an installed kopslint: the wheel of a release, with the tests of its sources.
#
#   ci/test_wheel.sh RELEASE SOURCE [arguments of pytest]
#
# The package and the rules of SOURCE are put aside, so that only the wheel has any.
set -euo pipefail
release=$(cd "$1" && pwd) source=$(cd "$2" && pwd)
shift 2
python3 -I -m venv "$source/.wheel"
bin="$source/.wheel/bin"
"$bin/python" -I -m pip install --quiet --disable-pip-version-check \
  --require-hashes --requirement "$source/ci/locks/dev.txt"
"$bin/python" -I -m pip install --quiet --disable-pip-version-check \
  --require-hashes --find-links "$release/dist" --requirement "$release/kopslint.lock"
mkdir -p "$source/aside"
mv "$source/kopslint" "$source/aside/"
cd "$source"
"$bin/kopslint" --version
"$bin/kopslint" doctor
[ $# -gt 0 ] || set -- tests/test_{rules,cli,job_log,base_decides}.py
"$bin/python" -I -m pytest -q "$@"
