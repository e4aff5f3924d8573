"""What validating a cluster of 30 groups costs beside reading it.

Prints one line: the median milliseconds of libyaml's own composition of the bytes, of
kopslint's reading, and of the validation on top, and their ratios, all measured in
turns in one run::

    python benchmarks/validation.py
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from kopslint.kops.decode import read_fleet
from kopslint.kops.validation import rejections
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable

GROUPS = 30
ROUNDS = 30
SPEC = Path(__file__).parents[1] / "fixtures/five-to-three/after.yaml"


def cluster() -> str:
    """The cluster of the demonstration with worker groups up to ``GROUPS``."""
    text = SPEC.read_text(encoding="utf-8")
    *head, nodes = text.split("---\n")
    workers = [
        nodes.replace("name: nodes", f"name: nodes-{number}")
        for number in range(GROUPS - len(head) + 1)
    ]
    return "---\n".join([*head, *workers])


def milliseconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    """Measure in turns and print the medians."""
    text = cluster()
    source = Source("cluster.yaml", text)
    (manifest,) = read_fleet([source]).manifests.values()
    list(rejections(manifest))
    works: dict[str, Callable[[], object]] = {
        "libyaml": lambda: list(yaml.compose_all(text, Loader=yaml.CSafeLoader)),
        "reading": lambda: read_fleet([Source("cluster.yaml", text)]),
        "validation": lambda: list(rejections(manifest)),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            taken[name].append(milliseconds(work))
    median = {name: statistics.median(times) for name, times in taken.items()}
    print(
        f"{len(manifest.groups)} groups: "
        + ", ".join(
            f"{name} {value:.1f} ms ({value / median['libyaml']:.2f} of libyaml)"
            for name, value in median.items()
        )
    )


if __name__ == "__main__":
    main()
