"""Where a spec says that keys, secrets and backups are is what removals are held to.

The state store has a name that says nothing, keys and secrets have a bucket of their
own, and so have the backups of etcd.
"""

from __future__ import annotations

import pytest
import yaml
from test_safe_lists import KINDS, spec

from kopslint.engine import Request, check
from kopslint.findings import Severity
from kopslint.text import Source

KEYS, BACKUPS = "KL319", "KL315"

REMOVALS = {
    "aws s3 rm --recursive s3://locked/prod.example.com/pki": KEYS,
    "aws s3 rm --recursive s3://locked/prod.example.com/secrets/": KEYS,
    "aws s3 rb --force s3://locked": KEYS,
    "gsutil -m rm -r gs://logs gs://locked/prod.example.com": KEYS,
    "mc rm -r --force minio/locked": KEYS,
    "aws s3 sync empty/ s3://locked --delete": KEYS,
    "aws s3 rm --recursive s3://tapes/prod/main": BACKUPS,
    "aws s3 rm --recursive s3://tapes/prod/main/control": BACKUPS,
    "aws s3 rb --force s3://tapes": BACKUPS,
    "aws s3 rb --force s3://acme-infra": BACKUPS,
    "s3cmd del -r s3://acme-infra/prod.example.com": BACKUPS,
    "rclone purge minio:acme-infra/prod.example.com": BACKUPS,
    "aws s3 rm --recursive s3://tapes/prod/main/2026-01-01T00:00:00Z": "",
    "aws s3 rm --recursive s3://copy/prod.example.com/pki": "",
    "aws s3 sync site/ s3://www --delete": "",
    "aws s3 rm s3://acme-infra-logs/today.gz": "",
}


def stored_apart() -> str:
    documents = spec(KINDS["aws3"])
    cluster = documents[0]["spec"]
    cluster["configBase"] = "s3://acme-infra/prod.example.com"
    cluster["keyStore"] = "s3://locked/prod.example.com/pki"
    cluster["secretStore"] = "s3://locked/prod.example.com/secrets"
    for etcd in cluster["etcdClusters"]:
        etcd["backups"] = {"backupStore": f"s3://tapes/prod/{etcd['name']}"}
    return yaml.safe_dump_all(documents)


@pytest.mark.parametrize(("line", "rules"), REMOVALS.items())
def test_what_is_removed_is_held_to_the_places_of_the_spec(
    line: str, rules: str
) -> None:
    text = stored_apart()
    before, after = Source("before.yaml", text), Source("after.yaml", text)
    report = check(Request((before,), (after,), (Source("run.sh", f"{line}\n"),)))

    found = {f.rule for f in report.findings if f.severity is Severity.ERROR}
    assert found == {*rules.split()}
