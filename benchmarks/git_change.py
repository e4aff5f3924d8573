"""What it costs to find a change in git, against checking the same two files.

Run it as ``python benchmarks/git_change.py``. Both are whole runs of the program, in
a repository of 200 clusters of which one changed. It prints the best of several runs
of each, and their ratio.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLUSTERS = 200
RUNS = 7

_CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: {name}
spec:
  etcdClusters:
  - name: main
    etcdMembers:
    - {{name: a, instanceGroup: cp-a}}
"""
_GROUP = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: {group}
  labels:
    kops.k8s.io/cluster: {name}
spec:
  role: {role}
  minSize: 1
  maxSize: {most}
  subnets: [a]
"""


def spec(name: str, most: int = 3) -> str:
    """A cluster with one control-plane group and ten groups of nodes."""
    groups = [_GROUP.format(group="cp-a", name=name, role="Master", most=1)]
    groups += [
        _GROUP.format(group=f"nodes-{n}", name=name, role="Node", most=most)
        for n in range(10)
    ]
    return _CLUSTER.format(name=name) + "".join(groups)


def git(*arguments: str) -> None:
    """Run git in the current folder without anybody's own configuration."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def best(*arguments: str) -> float:
    """The shortest time, in milliseconds, that a run of kopslint took."""
    command = [sys.executable, "-m", "kopslint", "check", *arguments]
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        done = subprocess.run(command, check=False, capture_output=True)
        times.append(time.perf_counter() - start)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr.decode())
    return min(times) * 1000


def main() -> None:
    """Make the repository, measure both ways, and print what they took."""
    os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder, "before.yaml")
        before.write_text(spec("c7.example.com"), encoding="utf-8")
        Path(folder, "repository").mkdir()
        os.chdir(Path(folder, "repository"))
        git("init", "--quiet", "--initial-branch=main")
        Path("clusters").mkdir()
        for number in range(CLUSTERS):
            name = f"c{number}.example.com"
            Path(f"clusters/{name}.yaml").write_text(spec(name), encoding="utf-8")
        git("add", "--all")
        git("commit", "--quiet", "-m", "x")
        changed = Path("clusters/c7.example.com.yaml")
        changed.write_text(spec("c7.example.com", most=5), encoding="utf-8")
        single = best("--before", str(before), str(changed))
        from_git = best("--changed")
        os.chdir("/")
    print(f"two files     {single:7.0f} ms")
    print(f"from git      {from_git:7.0f} ms, of {CLUSTERS} clusters")
    print(f"ratio         {from_git / single:7.2f}")


if __name__ == "__main__":
    main()
