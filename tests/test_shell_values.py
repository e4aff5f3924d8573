"""The values of shell words: where one is told, it is the one that bash makes of it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from kopslint.notations.command_list import read_commands, simple_commands
from kopslint.text import Source

# The last command of each script, and its words as bash makes them.
KNOWN: dict[str, list[str]] = {
    # Parameters
    "x=ab; echo ${x:-c} ${y:-c}": ["ab", "${y:-c}"],
    "x=; echo a ${x:-c} ${x-c} ${x:+d} ${x+d}": ["a", "c", "d"],
    "x=b; echo ${x:+d} ${x:=c}": ["d", "b"],
    "x=; echo a ${x:=c} $x": ["a", "c", "c"],
    "x=a.b.c; echo ${x#*.} ${x##*.} ${x%.*} ${x%%.*}": ["b.c", "c", "a.b", "a"],
    "x=a.b.c; echo ${x/./-} ${x//./-} ${x/#a/z} ${x/%c/z}": [
        *("a-b.c", "a-b-c", "z.b.c", "a.b.z"),
    ],
    "x=aB; echo ${x^^} ${x,,} ${x^} ${x,}": ["AB", "ab", "AB", "aB"],
    "x=abcdef; echo ${x:2} ${x:1:3} ${#x}": ["cdef", "bcd", "6"],
    "y=x; x=a; echo ${!y}": ["a"],
    # Arrays
    "x=(a b); x+=(c); echo ${x[@]} ${#x[@]} ${x[-1]} $x": [
        *("a", "b", "c", "3", "c", "a"),
    ],
    "x=(a b c d); echo ${x[@]:1:2} ${x[@]:3}": ["b", "c", "d"],
    'x=(a b); echo "${x[*]}" "${x[@]}"': ["a b", "a", "b"],
    "x=(a b); x[1]=c; x[2]=d; echo ${x[@]}": ["a", "c", "d"],
    "x=(a b); i=1; echo ${x[i]} ${x[$i]} ${x[i - 1]}": ["b", "b", "a"],
    "x=a; x+=b; echo $x": ["ab"],
    "set -- a b c; echo $# ${@:2} ${*:1:1} $2": ["3", "b", "c", "a", "b"],
    "set -- a b c; shift; echo $@": ["b", "c"],
    "set -- a b c; shift 2; echo $1 ${#}": ["c", "1"],
    # Declarations
    "export x=a; readonly y=b; declare -r z=$x$y; echo $z": ["ab"],
    "x=a; unset x; echo b ${x+set}": ["b"],
    # Words
    "x='a b'; echo $x \"$x\"": ["a", "b", "a b"],
    "echo a{1,2}{x,y} {1..3} {3..1} {a..c}": [
        *("a1x", "a1y", "a2x", "a2y", "1", "2", "3", "3", "2", "1", "a", "b", "c"),
    ],
    "echo {a} a{b,c}d{} {01..03}": ["{a}", "abd{}", "acd{}", "01", "02", "03"],
    "echo $'a\\tb' \"a\\\"b\" 'a'\\''b'": ["a\tb", 'a"b', "a'b"],
    "echo $'\\x41' $\"a\" a$": ["A", "a", "a$"],
    'x=\'*\'; echo "${x#"$x"}b"': ["b"],
    "echo $((-7 / 2)) $((-7 % 2)) $((+1)) $((1 - -1))": ["-3", "-1", "1", "2"],
    "echo $((1 + 2 * 3)) $((7 / 2)) $((7 % 2))": ["7", "3", "1"],
    "x=2; echo $((x * 3)) $(($x - 3))": ["6", "-1"],
    # Output that is known
    "x=$(echo a b); echo $x": ["a", "b"],
    'x=$(printf "%s-%s" a b); echo $x': ["a-b"],
    "x=$(printf '%s.' a b); echo $x": ["a.b."],
    "x=$(echo -n a; echo b); echo $x": ["ab"],
    "x=$({ set -e; echo a; }); echo $x": ["a"],
    "x=$(cat <<< a); echo $x": ["a"],
}
# Known only when it runs, and told so.
UNKNOWN = {
    "echo ${x[0]}": "$x",
    "x=(a b); echo ${x[7]}": "${x[7]}",
    "x=(a $(date)); echo ${x[1]}": "${x[1]}",
    "x=([3]=a); echo ${x[3]}": "${x[3]}",
    "x=(a); x[5]=b; echo ${x[0]}": "$x",
    "x=a; echo ${x@Q}": "${x@Q}",
    "x=a.b; echo ${x/[.]/-}": "${x/[.]/-}",
    "x=a; echo ${x#+(a)}": "${x#+(a)}",
    "x=a; echo ${x#$y}": "${x#$y}",
    "x=abc; echo ${x:n}": "${x:n}",
    "x=(a b); echo ${x[@]#a}": "${x[@]#a}",
    "x=(a b); echo ${x[@]:n}": "${x[@]:n}",
    "x=$(date); echo ${#x[@]}": "${#x[@]}",
    "set -- a b; shift $n; echo $1": "$1",
    "x=$(echo a > f); echo $x": "$(echo a > f)",
    "x=$(printf %d 1); echo $x": "$(printf %d 1)",
    "x=$(printf a b); echo $x": "$(printf a b)",
    "x=$(echo -e a); echo $x": "$(echo -e a)",
    "x=$(echo a; date); echo $x": "$(echo a; date)",
    "x=abc; echo ${x: -1}": "${x: -1}",
    "x=abc; echo ${x^^a}": "${x^^a}",
    "echo ${x:?}": "$x",
    "echo ${!y}": "${!y}",
    "y='a b'; echo ${!y}": "${!y}",
    "x=$(date); echo ${x%-*}": "${x%-*}",
    "echo $((y + 1))": "$((y + 1))",
    "echo $((1 / 0))": "$((1 / 0))",
    "echo $@": "$@",
    "echo $RANDOM": "$RANDOM",
}


def last(script: str) -> list[tuple[str | None, str]]:
    """The arguments of the last command: the value if it is known, and as shown."""
    read = read_commands(Source("run.sh", script))
    *_, command = simple_commands(read.body)
    return [(word.text, word.shown) for word in command.words[1:]]


@pytest.mark.parametrize("script", KNOWN)
def test_a_word_is_what_bash_makes_of_it(script: str) -> None:
    assert [shown for _, shown in last(script)] == KNOWN[script]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is missing")
@pytest.mark.parametrize("script", [s for s in KNOWN if "${" not in str(KNOWN[s])])
def test_bash_makes_the_same_of_it(script: str) -> None:
    commands, mark, words = script.rpartition("echo ")
    assert mark

    ran = subprocess.run(
        ["bash", "-c", f"{commands}printf '%s\\n' {words}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.splitlines() == KNOWN[script]


@pytest.mark.parametrize(("script", "shown"), UNKNOWN.items())
def test_what_only_a_run_can_tell_is_unknown(script: str, shown: str) -> None:
    [(text, told), *_] = last(script)

    assert (text, told) == (None, shown)
