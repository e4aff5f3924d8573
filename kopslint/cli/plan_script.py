"""A runbook as a shell script that can be run whole or pasted step by step.

Every step has its reason and what etcd looks like after it, and before anything that
cannot be undone the script checks the member list. The commands themselves come from
the plan and are printed as they are.
"""

from __future__ import annotations

import re
from shlex import quote, split
from typing import TYPE_CHECKING

from kopslint.commands.etcd_functions import (
    asking_functions,
    context_lines,
    etcd_functions,
    patient_functions,
    release_functions,
)
from kopslint.commands.kops import DeleteInstanceGroup, Replace, RollingUpdate, Validate
from kopslint.commands.model import DeleteVolumes
from kopslint.kops.clouds import cloud_named
from kopslint.kops.state_store import listing_of
from kopslint.planner.releases import said
from kopslint.report.display import pad, visible, width, wrap
from kopslint.report.quorum import members, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kopslint.commands.model import Command
    from kopslint.findings import EtcdView
    from kopslint.planner.runbook import NoWay, Runbook, Step
    from kopslint.report.display import Style


# ------------------------------------------------------------------------------------
# What a runbook's script needs before its steps, and how it goes through them
#
# Which steps there are, and which of them ask etcd, is decided elsewhere.

_NEEDS = """\
# Says what is missing before anything is changed.
needs() {
  command -v "$1" > /dev/null && return
  echo "$1 is not installed here" >&2
  return 1
}
"""

_BACKED_UP = """\
# Whether the backup store of an etcd cluster lists a backup of today, in UTC;
# where it cannot be asked, that is only said.
backed_up() {
  local etcd=$1 store=$2 names
  shift 2
  if ! names=$(within 60 "$@" 2> /dev/null) || [ -z "$names" ]; then
    echo "$store cannot be asked: see that it has a backup of today" >&2
    return
  fi
  case $names in
    *"$(date -u +%Y-%m-%d)T"*) return ;;
  esac
  echo "etcd $etcd has no backup of today in $store" >&2
  return 1
}
"""

_KOPS_IS = """\
# Whether the kops here is one that a step is for: from 1.$1 to 1.$2.
kops_is() {
  local version minor=0
  version=$(within 60 kops version) || return 1
  [[ $version =~ 1\\.([0-9]+) ]] && minor=${BASH_REMATCH[1]}
  [ "$minor" -ge "$1" ] && [ "$minor" -le "$2" ] && return
  echo "this step is for kops 1.$1 to 1.$2, and this is another: $version" >&2
  return 1
}
"""

_DELETED = """\
# Whether a group is in the state store no more; the second one is there.
deleted() {
  local groups
  groups=$(within 60 kops get ig --name CLUSTER) || return 1
  echo "$groups" | awk -v gone="$1" -v stays="$2" '
    $1 == gone { found = 1 }
    $1 == stays { answered = 1 }
    END { exit answered && found == 0 ? 0 : 1 }'
}
"""

# Whoever runs a plan once more has to be told where it stands, and a spec of an older
# release must not be stored again on the way.
_RELEASE = """\
# Prints the Kubernetes release in the state store.
release() {
  within 60 kops get cluster --name CLUSTER --output yaml |
    awk '$1 == "kubernetesVersion:" { gsub(/["v\\r]/, "", $2); print $2 }'
}

# Fails unless one of these is the release in the state store.
release_is() {
  local now other
  now=$(release) || return 1
  for other in "$@"; do
    [ "$now" != "$other" ] || return 0
  done
  echo "the state store has Kubernetes $now: this step was for ${*}" >&2
  return 1
}
"""

_LISTED = """\
# Prints which of these members an etcd cluster lists.
listed() {
  local etcd=$1 list
  list=$(etcd "$etcd" member list) || return 1
  while shift && [ $# -gt 0 ]; do
    echo "$1 $(called "$etcd" "$1" 2> /dev/null)"
  done | { cat && echo "$list"; } | awk -F ', ' -v etcd="$etcd" '
    NF == 1 && split($0, pair, " ") { short[++plan] = pair[1]; long[plan] = pair[2] }
    NF == 6 { all++; found[$3] = 1 }
    END {
      printf "%s", etcd
      for (i = 1; i <= plan; i++)
        if (found[long[i]]) { known++; printf " %s", short[i] }
      print all == known ? "" : " and others"
    }'
}
"""

_WHERE = """\
# Prints from which step to go on, as far as the cluster tells, else this one.
where() {
  local steps=$1 now
  now=$(NOW)
  case $now in
STATES
  esac
  case " $steps " in *" $1 "*) echo "$1" ;; *) echo "${steps%% *}" ;; esac
}
"""

_GO_ON = """\
# Runs every step from one on, and none after the first that fails.
go_on() {
  local step
  preflight || { echo "so no step was run" >&2; return 1; }
  for ((step = $1; step <= LAST; step++)); do
    echo "step $step of LAST"
    "step_$step" || break
  done
  [ "$step" -le LAST ] || THEN
  echo "Step $step of LAST failed, and nothing after it was run." >&2
  step=WHERE
  echo "Fix what is said above, then continue: AGAIN" >&2
  return 1
}
"""

_LOOK = """{
    last_look && return
    echo "All steps are done. Fix what is said above, then check again: NEXT" >&2
    return 1
  }"""


def asking_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that define how questions are asked, and ``remove`` and ``confirm``."""
    yield ""
    if changes_members(runbook):
        yield from etcd_functions(runbook.cluster, runbook.cloud, confirm=True)
    elif asks_etcd(runbook):
        yield from asking_functions(runbook.cluster, runbook.cloud, confirm=True)
    else:
        yield from patient_functions()
    if any(step.etcd_before for step in runbook.steps):
        yield ""
        yield from release_functions()


def kubectl_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that keep kubectl from speaking to another cluster."""
    yield ""
    yield from context_lines(runbook.cluster)


def state_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that define what tells where the cluster stands, as far as needed."""
    name = quote(runbook.cluster)
    if deletes(runbook):
        yield ""
        yield from _lines(_DELETED.replace("CLUSTER", name))
    if len(_releases(runbook)) > 1:
        yield ""
        yield from _lines(_RELEASE.replace("CLUSTER", name))
    if not changes_members(runbook):
        return
    members = [quote(member) for member in _members(runbook)]
    yield ""
    yield from _lines(_LISTED)
    states = _states(runbook)
    now = [
        " ".join(["listed", quote(etcd), *members]) for etcd in runbook.steps[0].after
    ]
    now += ["release"] if len(_releases(runbook)) > 1 else []
    rows = []
    for state, numbers in states.items():
        # A pattern in quotes stands for itself, line ends included.
        rows.append(f"    {quote(state)})")
        rows.append(f"      steps='{' '.join(map(str, numbers))}' ;;")
    text = _WHERE.replace("NOW", " && ".join(now)).replace("STATES", "\n".join(rows))
    yield ""
    yield from _lines(text)


def _lines(text: str) -> Iterator[str]:
    yield from text.rstrip("\n").split("\n")


def _members(runbook: Runbook) -> tuple[str, ...]:
    """Every member of the plan, in one order."""
    views = [
        v for s in runbook.steps for side in (s.before, s.after) for v in side.values()
    ]
    return tuple(dict.fromkeys(name for view in views for name in view.members))


def _states(runbook: Runbook) -> dict[str, list[int]]:
    """How the cluster is told before a step and after it, and the numbers of the steps.

    A step may have been run in part, and may be run again where it has been run.
    """
    found: dict[str, list[int]] = {}
    order = _members(runbook)
    several = len(_releases(runbook)) > 1
    for number, step in enumerate(runbook.steps, 1):
        sides = [
            "\n".join(
                " ".join([etcd, *(n for n in order if n in view.members)])
                for etcd, view in views.items()
            )
            for views in (step.before, step.after)
        ]
        for side in dict.fromkeys(sides):
            for release in dict.fromkeys(step.releases if several else ("",)):
                state = f"{side}\n{release}" if several else side
                found.setdefault(state, []).append(number)
    return found


def _releases(runbook: Runbook) -> tuple[str, ...]:
    """The Kubernetes releases that a plan passes, the first one included."""
    return tuple(dict.fromkeys(r for step in runbook.steps for r in step.releases))


def kops_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that define ``kops_is``; none if no step depends on the release."""
    if any(step.kops for step in runbook.steps):
        yield ""
        yield from _KOPS_IS.rstrip("\n").split("\n")


def deletes(runbook: Runbook) -> bool:
    """Whether any step deletes a group."""
    return any(
        isinstance(command, DeleteInstanceGroup)
        for step in runbook.steps
        for command in step.deed.commands
    )


def preflight_lines(runbook: Runbook, *, asks: bool, beside: bool) -> Iterator[str]:
    """The lines that define ``preflight``: what the steps need is asked before them.

    ``asks`` is whether any step asks etcd; ``beside`` whether the files are found from
    the folder of the script, wherever it is started.
    """
    yield ""
    cloud = cloud_named(runbook.cloud)
    yield from _NEEDS.rstrip("\n").split("\n")
    yield ""
    files = [file for step in runbook.steps for file in _files(step.deed.commands)]
    wanted = [f"needs {quote(program)}" for program in _programs(runbook, asks=asks)]
    if beside and files:
        wanted.append('cd "$HERE"')
    wanted += [f"ls -- {quote(file)} > /dev/null" for file in dict.fromkeys(files)]
    if files and runbook.unfilled:
        marks = " ".join(f"-e {quote(mark)}" for mark in runbook.unfilled)
        names = " ".join(quote(file) for file in dict.fromkeys(files))
        wanted.append(f"! grep -nF {marks} -- {names} >&2")
    name = quote(runbook.cluster)
    asks_cloud = cloud.asks if cloud is not None else None
    if asks_cloud and f"needs {asks_cloud.split()[0]}" in wanted:
        wanted.append(f"within 60 {asks_cloud} > /dev/null")
    if "needs terraform" in wanted:
        # It answers only where terraform init was run, and where its state is.
        wanted.append("within 60 terraform state list > /dev/null")
    wanted.append(f"within 60 kops get cluster --name {name} > /dev/null")
    if not runbook.rescue:
        # Kops asks the cloud and the API server with what it will use later.
        wanted.append(f"within 60 kops get instances --name {name} > /dev/null")
    via = dict.fromkeys(group for step in runbook.steps for group in step.via)
    if asks and via:
        wanted.append(" ".join(["via", *map(quote, via)]))
        wanted.append("again etcd main endpoint health")
    for etcd, backups in zip(runbook.steps[0].before, runbook.backups, strict=False):
        listing = listing_of(backups) or "false"
        wanted.append(f"backed_up {quote(etcd)} {quote(backups)} {listing}")
    if runbook.backups:
        yield from _lines(_BACKED_UP)
        yield ""
    yield "preflight() {"
    if runbook.store is None:
        yield '  : "${KOPS_STATE_STORE:?set it to the state store of the cluster}" &&'
    yield from ("  " + " &&\n    ".join(wanted)).split("\n")
    yield "}"


def _files(commands: tuple[Command, ...]) -> Iterator[str]:
    for command in commands:
        if isinstance(command, Replace):
            yield from (word.text or "" for word in command.files)


def _programs(runbook: Runbook, *, asks: bool) -> list[str]:
    """The programs that the steps call."""
    texts = [command.text for step in runbook.steps for command in step.deed.commands]
    found = ["kops", "kubectl"] if asks else ["kops"]
    found += [text.split()[0] for text in texts]
    cloud = cloud_named(runbook.cloud)
    if asks and cloud is not None and cloud.members_are == "volume ids":
        found.append(cloud.program or "")
    return [name for name in dict.fromkeys(found) if name not in ("remove", "etcd")]


def go_on_lines(runbook: Runbook, again: str, *, looks: bool) -> Iterator[str]:
    """The lines that run the steps, from the one that the script is given.

    ``again`` tells how to go on from a step; ``looks`` is whether ``last_look`` is run
    behind them.
    """
    text = _GO_ON.replace("LAST", str(len(runbook.steps)))
    text = text.replace("THEN", _LOOK if looks else "return 0")
    text = text.replace("NEXT", again.format(step=len(runbook.steps) + 1))
    text = text.replace("AGAIN", again.format(step="$step"))
    where = '$(where "$step")' if changes_members(runbook) else "$step"
    text = text.replace("WHERE", where)
    yield from text.rstrip("\n").split("\n")
    yield ""
    yield 'go_on "${1:-1}"'


# ------------------------------------------------------------------------------------
# What a runbook's script needs to delete volumes: the function that finds one
#
# Volumes have no id before they are made, so a script asks the cloud for it, and
# waits for some minutes until no machine uses the volume any more. A volume that is
# gone may have been deleted by the run before. Which volumes go is decided elsewhere.

# What the volumes are called: kops pkg/model/master_volumes.go, and for DigitalOcean
# upup/pkg/fi/cloudup/do/utils.go. By the program that deletes them: what it has to be
# named first, what prints the id of the volume of a member, and what tells whether no
# machine uses the volume with an id.
VOLUMES = {
    "aws": (
        ': "${AWS_REGION:?set it to the region of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER
  aws ec2 describe-volumes --filters "Name=tag:Name,Values=$name" \\
    --query 'Volumes[].VolumeId' --output text
""",
        """\
  [ "$(aws ec2 describe-volumes --volume-ids "$1" --query 'Volumes[].State' \\
    --output text)" = available ]
""",
    ),
    "gcloud": (
        ': "${CLOUDSDK_CORE_PROJECT:?set it to the project of the cluster}"',
        """\
  local cluster=CLUSTER
  gcloud compute disks list --uri --filter \\
    "name~'^d?${2//./-}-etcd-$1-' AND labels.k8s-io-cluster-name=${cluster//./-}"
""",
        """\
  local users
  users=$(gcloud compute disks describe "$1" --format 'value(users)') &&
    [ -z "$users" ]
""",
    ),
    "az": (
        ': "${AZURE_DEFAULTS_GROUP:?set it to the resource group of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER
  az disk list --query "[?name=='$name'].name" --output tsv
""",
        """\
  [ "$(az disk show --name "$1" --query diskState --output tsv)" = Unattached ]
""",
    ),
    "openstack": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER
  openstack volume list --name "$name" --format value --column ID
""",
        """\
  [ "$(openstack volume show "$1" --format value --column status)" = available ]
""",
    ),
    "hcloud": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER
  hcloud volume list --output noheader --output columns=id,name |
    awk -v name="$name" '$2 == name { print $1 }'
""",
        """\
  hcloud volume describe "$1" --output json | grep -Eq '"server": *null'
""",
    ),
    "doctl": (
        None,
        """\
  local name=kops-$2.etcd-$1.CLUSTER
  name=${name//./-}
  doctl compute volume list --format ID,Name --no-header |
    awk -v name="${name:0:64}" '$2 == name { print $1 }'
""",
        """\
  local users
  users=$(doctl compute volume get "$1" --format DropletIDs --no-header) &&
    [[ $users != *[0-9]* ]]
""",
    ),
    "linode-cli": (
        None,
        """\
  local name=$2.etcd-$1.CLUSTER
  linode-cli volumes list --label "$name" --text --no-headers --format id
""",
        """\
  local user
  user=$(linode-cli volumes view "$1" --text --no-headers --format linode_id) &&
    [[ $user != [0-9]* ]]
""",
    ),
    "scw": (
        ': "${SCW_DEFAULT_ZONE:?set it to the zone of the cluster}"',
        """\
  local name=$2.etcd-$1.CLUSTER
  scw instance volume list name="$name" \\
    --output template='{{ .ID }} {{ .Name }}' |
    awk -v name="$name" '$2 == name { print $1 }'
""",
        """\
  scw instance volume get "$1" --output json | grep -Eq '"server": *null'
""",
    ),
}

_VOLUMES = """\
# Prints the id of the volume of a member; nothing if there is none.
find_volume() {
FIND
}

# Whether no machine uses a volume.
unused() {
UNUSED
}

# Prints the id of the volume of a member, once no machine uses it, within some
# minutes; the group only says whose it was.
volume_id() {
  local id
  id=$(find_volume "$1" "$2")
  : "${id:?no volume of $2 is found}"
  again unused "$id" || again unused "$id" || return 1
  echo "$id"
}

# Whether the volume of a member is gone, while that of the other one is found.
wiped() {
  [ -z "$(find_volume "$1" "$2")" ] && [ -n "$(find_volume "$1" "$3")" ] &&
    [ -z "$(find_volume "$1" "$2")" ]
}
"""


def volume_lines(runbook: Runbook) -> Iterator[str]:
    """The lines that define ``volume_id``; none if the runbook deletes no volume."""
    commands = (command for step in runbook.steps for command in step.deed.commands)
    texts = (c.text for c in commands if isinstance(c, DeleteVolumes))
    program = next((text.split()[0] for text in texts), None)
    if program is not None:
        yield ""
        yield from volume_function(runbook.cluster, program)


def volume_function(cluster: str, program: str) -> Iterator[str]:
    """The lines that define ``volume_id`` by the ``program`` of a cloud."""
    needed, find, unused = VOLUMES[program]
    if needed is not None:
        yield needed
        yield ""
    text = _VOLUMES.replace("FIND\n", find).replace("UNUSED\n", unused)
    yield from _lines(text.replace("CLUSTER", quote(cluster)))


_WIDTH = 78


def script(runbook: Runbook, style: Style) -> str:
    """The runbook as the text of a bash script.

    It is made of functions, one for every step, and of one call at its end: pasted
    line by line into a terminal, nothing is left to run behind a failure.
    """
    lines = [*_head(runbook), *_body(runbook, style), *_final(runbook)]
    return "\n".join(lines) + "\n"


def _final(runbook: Runbook) -> Iterator[str]:
    if not runbook.steps:
        return
    title = "# All of it "
    yield ""
    yield title + "-" * (_WIDTH - len(title))
    yield from run_lines(runbook, "bash plan.sh {step} (pasted: go_on {step})")


def run_lines(runbook: Runbook, again: str) -> Iterator[str]:
    """The one call that runs all steps, and what it needs.

    ``again`` tells how to go on from a step.
    """
    if looks := last_look(runbook):
        yield "# In the end every etcd cluster lists its members."
        yield from _function("last_look", joined(looks))
        yield ""
    yield from go_on_lines(runbook, again, looks=bool(looks))


def step_function(number: int, step: Step, *, asks: bool) -> Iterator[str]:
    """A step as a function: none of its commands is run behind one that fails.

    ``asks`` is whether the runbook changes the members of etcd.
    """
    yield from expectations(step, asks=asks)
    yield from _function(f"step_{number}", chain(step, asks=asks))


def _function(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"{name}() {{"
    yield from (f"  {line}" for line in lines)
    yield "}"


def changes_members(runbook: Runbook) -> bool:
    """Whether any member list is another one at the end or on the way."""
    return any(
        view.members != step.before[name].members
        for step in runbook.steps
        for name, view in step.after.items()
    )


def asks_etcd(runbook: Runbook) -> bool:
    """Whether any step asks etcd for its members."""
    return changes_members(runbook) or any(
        step.etcd_before and step.via for step in runbook.steps
    )


def last_look(runbook: Runbook) -> list[str]:
    """What asks every etcd cluster for its members when all is done.

    Nothing where no member list changes.
    """
    last = runbook.steps[-1]
    if not last.via or not changes_members(runbook):
        return []
    confirms = [_confirm(name, view.members) for name, view in last.after.items()]
    return [_through(last), *confirms]


def _head(runbook: Runbook) -> Iterator[str]:
    yield "#!/usr/bin/env bash"
    if not runbook.steps:
        yield from comment(
            f"{runbook.cluster}: nothing to do, both specs are the same."
        )
        return
    yield from comment(f"{runbook.cluster}: {summary(runbook)}")
    yield from comment(
        "Nothing of this has been run. Start it as `bash plan.sh`: it stops at the"
        " first command that fails. Fix what it reports; `bash plan.sh 3` continues"
        " with step 3. You can also paste it into a bash as a whole; there `go_on 3`"
        " continues."
    )
    if any(step.deed.spec is not None for step in runbook.steps):
        yield from comment(
            "It looks for the files that it stores in the folder of this script,"
            " wherever it is started; when pasted, in the current folder."
        )
    for note in runbook.notes:
        yield from comment(note)
    if told(runbook):
        yield from comment("What the check says about this order:")
        for warning in told(runbook):
            yield from comment(f"- {warning}")
    if runbook.written:
        names = " ".join(spec.files[0] for spec in runbook.written)
        yield from comment(f"Specs in between, written by kopslint plan --out: {names}")
    # Steps are called by their numbers, which shellcheck does not see.
    yield "# shellcheck disable=SC2317,SC2329"
    yield ""
    yield 'HERE=$(dirname -- "${BASH_SOURCE[0]:-.}")'
    yield from preamble(runbook, beside=True)


def told(runbook: Runbook) -> list[str]:
    """The warnings of the check but how many members may fail, which the plan says."""
    return [text for text in runbook.warnings if not text.startswith("KL303:")]


def preamble(runbook: Runbook, *, beside: bool = False) -> Iterator[str]:
    """What the commands of all steps need: settings and functions.

    ``beside`` says that ``HERE`` is the folder from which files are found.
    """
    if runbook.store is not None:
        yield f"export KOPS_STATE_STORE={quote(runbook.store)}"
    if runbook.features:
        flags = ",".join(f"+{feature}" for feature in runbook.features)
        yield f"export KOPS_FEATURE_FLAGS={flags}"
    asks = asks_etcd(runbook)
    if asks or any(step.deed.kind == "retire" for step in runbook.steps):
        yield from kubectl_lines(runbook)
    yield from asking_lines(runbook)
    yield from state_lines(runbook)
    yield from kops_lines(runbook)
    yield from volume_lines(runbook)
    yield from preflight_lines(runbook, asks=asks, beside=beside)


def summary(runbook: Runbook) -> str:
    """What the runbook comes to, in one sentence."""
    count = len(runbook.steps)
    text = f"{count} step{'' if count == 1 else 's'}; "
    if runbook.outage:
        text += "etcd is without quorum for a while, then comes back"
    elif runbook.tolerance > 0:
        text += "quorum is never lost, and after every step "
        spare = runbook.tolerance
        text += "one more member" if spare == 1 else f"{spare} more members"
        text += " may fail"
    else:
        text += "quorum is never lost, but after some steps no member may fail"
    if runbook.cut:
        text += "; the search was stopped early, so there may be a better order"
    elif runbook.written and changes_members(runbook):
        what = "shorter" if runbook.spares_most else "better"
        text += f"; with other intermediate specs there may be a {what} order"
    return f"{text}."


def _body(runbook: Runbook, style: Style) -> Iterator[str]:
    steps, asks = runbook.steps, changes_members(runbook)
    for number, step in enumerate(steps, 1):
        title = f"# {number} of {len(steps)} "
        yield ""
        yield title + "-" * (_WIDTH - len(title))
        yield from comment(step.deed.reason)
        yield from step_function(number, step, asks=asks)
        yield from traces(step.after, style)


def chain(step: Step, *, asks: bool) -> Iterator[str]:
    """The commands of a step as one: none is run behind one that fails.

    ``asks`` is whether the runbook changes the members of etcd.
    """
    checks = checks_in_shell(step, asks=asks)
    commands = [_again(command, step) for command in step.deed.commands]
    rolls = [
        index
        for index, command in enumerate(step.deed.commands)
        if isinstance(command, RollingUpdate | Validate)
    ]
    if joined_by(step) and rolls:
        # Nobody is replaced before those who join have joined.
        new = [_confirm(name, view.members) for name, view in step.after.items()]
        ask = asks and bool(step.via) and not step.deed.rescues
        commands[rolls[0] : rolls[0]] = new if ask else []
    return joined([*checks, *commands])


def joined_by(step: Step) -> bool:
    """Whether any member joins in a step."""
    return any(
        not {*view.members} <= {*step.before[name].members}
        for name, view in step.after.items()
        if name in step.before
    )


def joined(commands: Sequence[str]) -> Iterator[str]:
    """Commands as one, which stops at the first that fails."""
    for number, command in enumerate(commands, 1):
        indent = "" if number == 1 else "  "
        end = "" if number == len(commands) else " &&"
        text = command.replace("\n", f"\n{indent}")
        yield from f"{indent}{text}{end}".split("\n")


_VOLUME_OF = re.compile(r'"\$\(volume_id (.*)\)"')


def _again(command: Command, step: Step) -> str:
    """The text of a command that may have been run before."""
    if isinstance(command, DeleteInstanceGroup) and command.group is not None:
        gone = f"deleted {quote(command.group.shown)} {quote(step.stays)}"
        return f"{{ {command.text} || {gone}; }}"
    volume = _VOLUME_OF.search(command.text)
    if isinstance(command, DeleteVolumes) and volume is not None:
        etcd, member, _ = split(volume[1])
        before, after = step.before[etcd].members, step.after[etcd].members
        stays = next((m for m in before if m in after and m != member), None)
        if stays is not None:
            gone = f"wiped {quote(etcd)} {quote(member)} {quote(stays)}"
            return f"{{ {command.text} ||\n  {gone}; }}"
    return command.text


def checks_before(step: Step, *, asks: bool) -> Iterator[tuple[str, EtcdView]]:
    """The etcd clusters whose member list is to be confirmed before a step."""
    if not step.via or step.deed.kind == "retire" or step.deed.rescues:
        return
    for name, view in step.before.items():
        if not asks and name not in step.etcd_before:
            continue
        if step.deed.etcd_cluster in (None, name):
            yield name, view


def expectations(step: Step, *, asks: bool) -> Iterator[str]:
    """What must be seen before a step, and what to do if it is not, as comments."""
    if step.kops:
        yield from comment(f"It is for {said(step.kops)}.")
    otherwise = "else bring back who is missing"
    if step.deed.kind == "delete":
        otherwise = f"else {step.deed.about} must stay"
    for name, view in checks_before(step, asks=asks):
        yield from comment(
            f"Before it, etcd {name} must list {len(view.members)} members, all "
            f"started and voting: {' '.join(view.members)}; {otherwise}."
        )
        if least := step.etcd_before.get(name):
            yield from comment(f"Each of them must run etcd {least} or later.")


def checks_in_shell(step: Step, *, asks: bool) -> Iterator[str]:
    """The lines that confirm what must be so before a step, and set what it needs."""
    if step.kops:
        yield f"kops_is {step.kops[0]} {step.kops[-1]}"
    if step.deed.spec is not None and len({*step.releases}) > 1:
        yield " ".join(["release_is", *map(quote, step.releases)])
    checks = list(checks_before(step, asks=asks))
    if checks:
        yield _through(step)
    if step.deed.rescues and asks and step.via:
        yield from still_works(step)
    for name, view in checks:
        then = step.after[name].members
        # A step may have been run before: who leaves may be gone, who joins there.
        stay = [member for member in view.members if member in then]
        moves = [m for m in (*view.members, *then) if m not in stay]
        yield _confirm(name, stay, tuple(dict.fromkeys(moves)))
        if least := step.etcd_before.get(name):
            yield " ".join(["runs", quote(name), least, *map(quote, stay)])


def still_works(step: Step) -> Iterator[str]:
    """The lines that look whether etcd has quorum, where it had it."""
    yield _through(step)
    for name, view in step.before.items():
        if view.writable == "yes":
            yield f"again etcd {quote(name)} endpoint health"


def _through(step: Step) -> str:
    """What chooses the machine on which etcd is asked; one may be away."""
    return " ".join(["via", *map(quote, step.via[:2])])


def _confirm(
    etcd_cluster: str, members: Sequence[str], optional: Sequence[str] = ()
) -> str:
    """What fails unless etcd has these members; some more may be there or not."""
    names = [quote(name) for name in members]
    some = ["--", *map(quote, optional)] if optional else []
    return " ".join(["confirm", quote(etcd_cluster), *names, *some])


def traces(views: Mapping[str, EtcdView], style: Style) -> Iterator[str]:
    """Every etcd cluster as a comment: its members, and what they mean."""
    widest = max(map(len, views), default=0)
    for name, view in views.items():
        start = f"# {pad(style.safe(name), widest)}  {members(view, style)}  "
        room = max(_WIDTH - width(start), _WIDTH // 2)
        first, *more = wrap(words(view, style), room)
        yield start + first
        yield from (f"# {' ' * (width(start) - 2)}{line}" for line in more)


def comment(text: str) -> Iterator[str]:
    """A text as comment lines; a command, which is indented, stays on one to paste."""
    shown = visible(text)
    lines = [shown] if text.startswith("  ") else wrap(shown, _WIDTH - 2)
    return (f"# {line}" for line in lines)


def no_way_script(no_way: NoWay) -> str:
    """Why there is no safe order, and the procedure that remains, all in comments."""
    lines = ["#!/usr/bin/env bash"]
    lines += comment(f"{no_way.cluster}: there is no plan for this change.")
    for reason in no_way.reasons:
        lines += comment(reason)
    if no_way.cut:
        lines += comment("The search was stopped early, so an order may exist.")
    lines.append("#")
    for line in procedure(no_way):
        lines += comment(line)
    return "\n".join(lines) + "\n"


def procedure(no_way: NoWay) -> Iterator[str]:
    """Backup and restore, step by step; commands are indented.

    Source: kops docs/operations/etcd_backup_restore_encryption.md.
    """
    if no_way.rescue:
        yield from no_way.rescue
        return
    if not no_way.etcd_clusters:
        yield (
            "A restore would not help with that. Fix the reason given above, or make"
            " a smaller change, then plan again."
        )
        return
    if no_way.keeps_data:
        yield from _copied(no_way)
        return
    name = quote(no_way.cluster)
    yield (
        "What remains is backup and restore. It loses every write since the backup, "
        "and the API is down from the fourth step until it is done. Try it on a copy "
        "of the cluster first."
    )
    yield "1. Check that every etcd cluster has the backup to restore:"
    stores = [quote(backups) for backups in no_way.backups]
    for backups in stores:
        yield f"  etcd-manager-ctl --backup-store={backups} list-backups"
    yield "2. Store the new spec and apply it:"
    files = " ".join(f"-f {quote(file)}" for file in no_way.files)
    yield f"  kops replace --force {files}"
    yield f"  kops update cluster --name {name} --yes"
    yield "3. Queue the restore of every etcd cluster:"
    for backups in stores:
        yield f"  etcd-manager-ctl --backup-store={backups} restore-backup BACKUP"
    yield (
        "4. Replace every control-plane machine, so that etcd-manager reads the"
        " command; restarting its containers works too. /var/log/etcd.log and"
        " /var/log/etcd-events.log show when the restore is done:"
    )
    roll = f"kops rolling-update cluster --name {name}"
    yield f"  {roll} --cloudonly --force --instance-group-roles master --yes"
    yield "5. Check that the cluster is healthy:"
    yield f"  kops validate cluster --name {name} --wait 15m"
    yield (
        "6. Delete the leases of API servers that are gone, with etcdctl in main, and"
        " replace the machines that may have newer data than the backup:"
    )
    yield "  etcdctl del --prefix /registry/masterleases/"
    yield f"  {roll} --force --yes"


def _copied(no_way: NoWay) -> Iterator[str]:
    """What etcd-manager does by itself for a step back: an outage, and no loss."""
    name = quote(no_way.cluster)
    yield (
        "etcd-manager does this with every member down: it saves their data and"
        " copies it key by key into a new cluster. No test run lost a write, but"
        " revisions start again, and the API is down from the third step until it is"
        " done. Try it on a copy of the cluster first."
    )
    yield "1. Check that every etcd cluster has a backup, in case it fails:"
    for backups in no_way.backups:
        yield f"  etcd-manager-ctl --backup-store={quote(backups)} list-backups"
    yield "2. Store the new spec and apply it:"
    files = " ".join(f"-f {quote(file)}" for file in no_way.files)
    yield f"  kops replace --force {files}"
    yield f"  kops update cluster --name {name} --yes"
    yield (
        "3. Replace every control-plane machine, so that etcd-manager reads the new"
        " version. /var/log/etcd.log and /var/log/etcd-events.log show when it is"
        " done:"
    )
    roll = f"kops rolling-update cluster --name {name}"
    yield f"  {roll} --cloudonly --force --instance-group-roles master --yes"
    yield "4. Check that the cluster is healthy:"
    yield f"  kops validate cluster --name {name} --wait 15m"
    yield "5. Replace the machines that have seen higher revisions:"
    yield f"  {roll} --force --yes"
