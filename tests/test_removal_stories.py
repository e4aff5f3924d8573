"""A removal of a member counts where it reaches that member's etcd, and nowhere else.

Five control-plane nodes become three, one after the other: the member leaves, then its
group. The order is right in every list; what differs is how the member is removed.
``{m}`` is the member, ``{name}`` etcd's name of it and ``{etcd}`` the etcd cluster: a
form is written once for each etcd cluster, unless it has neither.
"""

from __future__ import annotations

import pytest

from kopslint.engine import Request, check
from kopslint.text import Source

NAME = "prod.example.com"
MEMBERS = {"main": "etcd-{m}", "events": "etcd-events-{m}"}


def spec(members: str, name: str = NAME) -> str:
    listed = "".join(f"\n    - {{name: {m}, instanceGroup: cp-{m}}}" for m in members)
    groups = "".join(
        f"""---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {{name: cp-{m}, labels: {{kops.k8s.io/cluster: {name}}}}}
spec: {{role: Master, minSize: 1, maxSize: 1, subnets: [{zone}]}}
"""
        for m, zone in zip(members, "abcab", strict=False)
    )
    return f"""apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {{name: {name}}}
spec:
  cloudProvider: aws
  kubernetesVersion: 1.32.4
  subnets:
  - {{name: a, zone: eu-west-1a, type: Public}}
  - {{name: b, zone: eu-west-1b, type: Public}}
  - {{name: c, zone: eu-west-1c, type: Public}}
  etcdClusters:
  - name: main
    etcdMembers:{listed}
  - name: events
    etcdMembers:{listed}
{groups}"""


def out(form: str, member: str) -> str:
    if not any(part in form for part in ("{etcd}", "{name}", "{port}")):
        return form.replace("{m}", member) + "\n"
    text = ""
    for etcd, front in MEMBERS.items():
        filled = form.replace("{name}", front).replace("{etcd}", etcd)
        filled = filled.replace("{port}", "4001" if etcd == "main" else "4002")
        text += filled.replace("{m}", member) + "\n"
    return text


def listing(form: str, head: str = "set -euo pipefail\n") -> str:
    steps = "".join(
        f"{out(form, m)}kops delete ig cp-{m} --name {NAME} --yes\n"
        f"kops validate cluster --name {NAME} --wait 10m\n"
        for m in "ed"
    )
    last = f"kops replace -f after.yaml\nkops update cluster --name {NAME} --yes\n"
    return f"{head}{steps}{last}"


def found(commands: str, *others: str) -> list[tuple[str, str]]:
    """What the check says of a list, as severity and rule; ``others`` are clusters."""
    more = "---\n".join(["", *(spec("abc", name) for name in others)])
    report = check(
        Request(
            (Source("before.yaml", f"{spec('abcde')}{more}"),),
            (Source("after.yaml", f"{spec('abc')}{more}"),),
            (Source("list.sh", commands),),
        )
    )
    return [(str(f.severity), f.rule) for f in report.findings if f.rule >= "KL3"]


POD = "kubectl -n kube-system exec etcd-manager-{etcd}-cp-a --"
LIST = f"{POD} etcdctl member list"
REMOVE = f"{POD} etcdctl member remove"
SAFE = {
    "awk on the whole name": (
        f"{REMOVE} \"$({LIST} | awk -F', ' '$3==\"{{name}}\"{{print $1}}')\""
    ),
    "awk with a variable": (
        f"{REMOVE} \"$({LIST} | awk -F ', ' -v n={{name}} '$3 == n {{print $1}}')\""
    ),
    "awk on a suffix": (
        f"{REMOVE} $({LIST} | awk -F', ' '$3 ~ /-{{m}}$/ {{print $1}}')"
    ),
    "awk on the line, with a comma": (
        f"{REMOVE} $({LIST} | awk -F, '/ {{name}},/{{print $1}}')"
    ),
    "grep and cut": f"{REMOVE} $({LIST} | grep ' {{name}},' | cut -d, -f1)",
    "grep for the word": f"{REMOVE} $({LIST} | grep -w {{name}} | cut -d, -f1)",
    "grep, and sed takes the rest off": (
        f"{REMOVE} $({LIST} | grep ', {{name}},' | sed 's/,.*//')"
    ),
    "grep, awk and tr": (
        f"{REMOVE} $({LIST} | grep ' {{name}},' | awk '{{print $1}}' | tr -d ,)"
    ),
    "sed alone": f"{REMOVE} $({LIST} | sed -n '/ {{name}},/s/,.*//p')",
    "a table": (
        f"{REMOVE} $({LIST} -w table | grep ' {{name}} ' | awk '{{print $2}}')"
    ),
    "jq with hexadecimal ids": (
        f"{REMOVE} $({LIST} -w json --hex | jq -r '.members[]"
        ' | select(.name=="{name}") | .ID\')'
    ),
    "jq, and printf makes it hexadecimal": (
        f"{REMOVE} $(printf %x $({LIST} -w json | jq -r '.members[]"
        ' | select(.name=="{name}") | .ID\'))'
    ),
    "through xargs": (f"{LIST} | grep ' {{name}},' | cut -d, -f1 | xargs {REMOVE}"),
    "through xargs, one by one": (
        f"{LIST} | grep ' {{name}},' | cut -d, -f1 | xargs -n1 {REMOVE}"
    ),
    "an id in a variable": (
        f"ID=$({LIST} | grep ' {{name}},' | cut -d, -f1)\n{REMOVE} \"$ID\""
    ),
    "all in the pod's shell": (
        f"{POD} sh -c 'etcdctl member remove"
        ' $(etcdctl member list | grep " {name}," | cut -d, -f1)\''
    ),
    "by the port": (
        "ssh admin@cp-a.prod.example.com sudo etcdctl"
        " --endpoints https://127.0.0.1:{port} member remove $(ssh"
        " admin@cp-a.prod.example.com sudo etcdctl --endpoints https://127.0.0.1:{port}"
        " member list | grep ' {name},' | cut -d, -f1)"
    ),
    "by the environment": (
        "export ETCDCTL_ENDPOINTS=https://127.0.0.1:{port}\netcdctl member remove"
        " $(etcdctl member list | grep ' {name},' | cut -d, -f1)"
    ),
    "by the container": (
        "docker exec k8s_etcd-manager_etcd-manager-{etcd}-cp-a etcdctl member remove"
        " $(docker exec k8s_etcd-manager_etcd-manager-{etcd}-cp-a etcdctl member list"
        " | grep ' {name},' | cut -d, -f1)"
    ),
    "in a context called like the cluster": (
        f"{REMOVE} $({LIST} | grep ' {{name}},' | cut -d, -f1)".replace(
            "kubectl", f"kubectl --context {NAME}"
        )
    ),
    "in a context that is short for it": (
        f"{REMOVE} $({LIST} | grep ' {{name}},' | cut -d, -f1)".replace(
            "kubectl", "kubectl --context admin@prod"
        )
    ),
    "with a kubeconfig called like it": (
        f"export KUBECONFIG=~/.kube/{NAME}.yaml\n"
        f"{REMOVE} $({LIST} | grep ' {{name}},' | cut -d, -f1)"
    ),
    "after kops chose the context": (
        f"kops export kubeconfig --name {NAME} --admin\n"
        f"{REMOVE} $({LIST} | grep ' {{name}},' | cut -d, -f1)"
    ),
    "or the list ends": (
        f"{REMOVE} $({LIST} | grep ' {{name}},' | cut -d, -f1) || exit 1"
    ),
    "ids from somewhere, in their pods": f"{REMOVE} $ID_{{etcd}}_{{m}}",
}
ID = "8e9e05c5216469{}"
LOOKED = f"$({LIST} | grep ' {{name}},' | cut -d, -f1)"
DISGUISED = {
    "a name": f"{REMOVE} {{name}}",
    "the spec's name, which is hexadecimal": f"{REMOVE} {{m}}",
    "a name that a variable holds": f"NAME={{name}}\n{REMOVE} $NAME",
    "an id with 0x": f"{REMOVE} 0x8e9e05c52164694d",
    "an id with a comma": f"{REMOVE} 8e9e05c52164694d,",
    "an id in decimal": f"{REMOVE} 10276657743932975437",
    "no id at all": f"{REMOVE}",
    "two ids at once": f"{REMOVE} 8e9e05c52164694d 91bc3c398fb3c146",
    "the id with awk's comma": (f"{REMOVE} $({LIST} | awk '/ {{name}},/{{print $1}}')"),
    "the field with its blank": (
        f"{REMOVE} $({LIST} | awk -F, '$3==\"{{name}}\"{{print $1}}')"
    ),
    "the wrong field": f"{REMOVE} $({LIST} | grep ' {{name}},' | cut -d, -f3)",
    "cut at a blank": f"{REMOVE} $({LIST} | grep ' {{name}},' | cut -d' ' -f1)",
    "a pattern that fits everybody": f"{REMOVE} $({LIST} | grep etcd | cut -d, -f1)",
    "jq's decimal id": (
        f"{REMOVE} $({LIST} -w json | jq -r '.members[]"
        ' | select(.name=="{name}") | .ID\')'
    ),
    "jq by the spec's name": (
        f"{REMOVE} $({LIST} -w json --hex | jq -r '.members[]"
        ' | select(.name=="{m}") | .ID\')'
    ),
    "the name of main in every etcd cluster": (
        f"{REMOVE} $({LIST} | awk -F', ' '$3==\"etcd-{{m}}\"{{print $1}}')"
    ),
    "an id of main in every etcd cluster": (
        f"{REMOVE} $({LIST.replace('{etcd}', 'main')} | awk -F', '"
        " '$3==\"etcd-{m}\"{print $1}')"
    ),
    "the same id in every etcd cluster": f"{REMOVE} {ID.format('e{m}')}",
    "once, without saying where": (
        "etcdctl member remove $(etcdctl member list | awk -F', '"
        " '$3~/-{m}$/{print $1}')"
    ),
    "in main, says a comment in events": (
        "kubectl exec etcd-manager-main-cp-a -- etcdctl member remove $ID_{m}  # events"
    ),
    "in main twice, by the port": (
        f"{POD} etcdctl --endpoints https://127.0.0.1:4001 member remove"
        f" $({POD} etcdctl --endpoints https://127.0.0.1:4001 member list"
        " | grep ' {name},' | cut -d, -f1)"
    ),
    "in another context": f"{REMOVE} {LOOKED}".replace(
        "kubectl", "kubectl --context staging"
    ),
    "in another context, by its full name": f"{REMOVE} {LOOKED}".replace(
        "kubectl", "kubectl --context staging.example.com"
    ),
    "with another kubeconfig": f"{REMOVE} {LOOKED}".replace(
        "kubectl", "kubectl --kubeconfig ~/.kube/staging"
    ),
    "after another context was chosen": (
        f"kubectl config use-context staging\n{REMOVE} {LOOKED}"
    ),
    "after kubectx": f"kubectx staging.example.com\n{REMOVE} {LOOKED}",
    "after kops chose another": (
        f"kops export kubeconfig --name staging.example.com\n{REMOVE} {LOOKED}"
    ),
    "in an environment of another": (
        f"KUBECONFIG=~/.kube/staging.yaml {REMOVE} {LOOKED}"
    ),
    "and a failure is nothing": f"{REMOVE} {LOOKED} || true",
    "and a failure is printed": f"{REMOVE} {LOOKED} || echo failed",
    "in a test that nothing follows": (f"if {REMOVE} {LOOKED}; then echo removed; fi"),
    "in the background": f"{REMOVE} {LOOKED} &",
}


@pytest.mark.parametrize("form", SAFE.values(), ids=SAFE)
def test_a_removal_that_reaches_its_member_is_no_error(form: str) -> None:
    assert "error" not in {severity for severity, _ in found(listing(form))}


@pytest.mark.parametrize("form", DISGUISED.values(), ids=DISGUISED)
def test_a_removal_that_removes_nothing_is_an_error(form: str) -> None:
    """The group is deleted over a living member, at least in some runs."""
    commands = listing(form, head="")

    assert ("error", "KL301") in found(commands)


GUARDS = {
    "set -e": ("set -e\n", "{}\n", False),
    "nothing": ("", "{}\n", True),
    "a list that is only printed": ("", "{}\n" + LIST + "\n", True),
    "kops' validation, which does not look": ("", "{}\nkops validate cluster\n", True),
    "&&": ("", "{} &&\n", False),
    "|| exit": ("", "{} || exit 1\n", False),
    "a count of the members": (
        "",
        '{}\n[ "$(' + LIST + ' | wc -l)" -lt 5 ] || exit 1\n',
        False,
    ),
    "a look for its name": ("", "{}\n! " + LIST + " | grep -q {name} || exit\n", False),
    "etcd's health": ("", "{}\n" + POD + " etcdctl endpoint health || exit\n", False),
}


@pytest.mark.parametrize(("head", "form", "rests"), GUARDS.values(), ids=GUARDS)
def test_a_list_that_goes_on_after_a_failure_rests_on_it(
    head: str, form: str, *, rests: bool
) -> None:
    """That is said once for a list, as a warning, unless it is an error already."""
    step = form.replace("{}", f"{REMOVE} {LOOKED}").replace("{name}", MEMBERS["main"])
    step = step.replace("{etcd}", "main").replace("{m}", "e")
    told = found(f"{head}{step}kops delete ig cp-e --name {NAME} --yes\n")

    assert told.count(("warning", "KL902")) == rests


def test_two_calls_that_say_nothing_may_be_one_for_each_etcd_cluster() -> None:
    """That is assumed, and said once; one of them leaves a member in the other."""
    bare = (
        "etcdctl member remove $(etcdctl member list | awk -F', '"
        " '$3~/-{m}$/{print $1}')"
    )
    twice = found(listing(f"{bare}\n{bare}"))

    assert ("error", "KL301") not in twice
    assert twice.count(("warning", "KL902")) == 1
    assert ("error", "KL301") in found(listing(bare))


def test_what_is_removed_in_one_cluster_is_removed_in_no_other() -> None:
    """Two clusters in a folder: the list switches from one to the other."""
    assert ("error", "KL301") not in found(
        listing(f"kubectl config use-context {NAME}\n{REMOVE} {LOOKED}"),
        "staging.example.com",
    )
    assert ("error", "KL301") in found(
        listing(f"kubectl config use-context staging.example.com\n{REMOVE} {LOOKED}"),
        "staging.example.com",
    )
