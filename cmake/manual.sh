#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a page of the manual from what the programs print of themselves, so that nothing is to be added here for a new
# command or option:   cmake/manual.sh PAGE FOLDER_OF_PROGRAMS JOB.yaml >PAGE
# PAGE is PROGRAM.1 or cnnsweep-job.5, for which JOB.yaml is the example.
set -eu
page=$1 bin=$2 job=$3

# Characters that roff takes for its own.
escape() {
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\\&\\1/"
}

# A help text: options become a list, other indented lines stay as they are.
roff_of_help() {
    escape | awk '
        function as_it_is(on) {
            if (on != kept) print on ? ".PP\n.nf" : ".fi"
            kept = on
        }
        /^usage: / { sub(/^usage: /, ""); print ".PP\n.B " $0; next }
        /^  \\-\\-/ {
            as_it_is(0)
            doc = name = $0
            sub(/^ +/, "", name)
            if (match(name, /  +/)) { doc = substr(name, RSTART + RLENGTH); name = substr(name, 1, RSTART - 1) }
            else if (match(name, /^[^ ]+ [^ ]+ /)) { doc = substr(name, RLENGTH + 1); name = substr(name, 1, RLENGTH - 1) }
            print ".TP\n.B " name "\n" doc
            next
        }
        /^ / { as_it_is(1); print; next }
        /^$/ { as_it_is(0); print ".PP"; next }
        { as_it_is(0); print }
        END { as_it_is(0) }'
}

title() { # PAGE-NAME SECTION
    printf '.TH %s %s "" "%s" "cnnsweep"\n' "$(echo "$1" | tr '[:lower:]' '[:upper:]')" "$2" \
        "$("$bin/cnnsweep" --version | head -n 1)"
}

see_also() {
    printf '.SH SEE ALSO\n'
    for other in 'cnnsweep 1' 'cnnsweep-pack 1' 'cnnsweep-synthetic 1' 'cnnsweep-job 5'; do
        [ "${other% *}" = "$1" ] || printf '.BR %s (%s)\n' "$(echo "${other% *}" | escape)" "${other#* }"
    done
}

# Actions of a command, such as `check` of `cnnsweep weights`: its help has a line of usage for each.
actions_of() {
    "$bin/cnnsweep" "$1" --help | awk -v command="$1" '$1 == "cnnsweep" && $2 == command && $3 ~ /^[a-z]+$/ {print $3}'
}

commands_page() {
    help=$("$bin/cnnsweep" help)
    title cnnsweep 1
    printf '.SH NAME\ncnnsweep \\- %s\n' "$(echo "$help" | sed -n '1s/^cnnsweep \(.*\)\.$/\1/p')"
    printf '.SH SYNOPSIS\n.B %s\n' "$(echo "$help" | sed -n 's/^usage: //p')"
    printf '.SH DESCRIPTION\n'
    echo "$help" | sed -e 1,/^usage:/d | roff_of_help
    for command in $(echo "$help" | awk '/^  [a-z]/ {print $1}'); do
        text=$("$bin/cnnsweep" "$command" --help)
        [ "$text" != "$help" ] || continue # `help` itself
        printf '.SH %s\n' "$(echo "$command" | tr '[:lower:]' '[:upper:]')"
        actions=$(actions_of "$command")
        [ -n "$actions" ] || echo "$text" | roff_of_help
        for action in $actions; do
            "$bin/cnnsweep" "$command" "$action" --help | roff_of_help
        done
    done
    see_also cnnsweep
}

program_page() {
    help=$("$bin/$1" --help)
    title "$1" 1
    printf '.SH NAME\n%s\n' "$(echo "$help" | sed -n '1s/: / - /p' | escape | sed 's/ \\- / \\- /')"
    printf '.SH DESCRIPTION\n'
    echo "$help" | sed 1d | roff_of_help
    see_also "$1"
}

# Rows of the table of options: | `key` | takes | default | sweepable | doc |
options_list() {
    "$bin/cnnsweep" options --markdown | sed -n 's/^| `/| /p' | sed 's/`//' | escape | awk -F ' [|] ' '
        {
            sub(/^\| /, "", $1)
            sub(/ \|$/, "", $5)
            print ".TP\n.B " $1 "\n" $5 ".\nTakes " $2 "; default " $3 ($4 == "yes" ? "; can be swept" : "") "."
        }'
}

job_page() {
    title cnnsweep-job 5
    cat <<'END'
.SH NAME
cnnsweep\-job \- the job file of cnnsweep: a grid or a search of training runs
.SH DESCRIPTION
A job file is YAML.
It says which data, which network and which training are the same for all trials, and which options differ between them.
.BR "cnnsweep train" (1)
trains every trial and prints the result table.
.PP
Sections hold the options below: the option
.B train.epochs
is the key
.B epochs
under
.BR train: .
An option without a section stands at the top.
An unknown key is an error that names the line, the column and the key that was probably meant.
.TP
.B name:
names the sweep; its results lie in results/<name>.
.TP
.B data: model: train:
what all trials have in common.
.TP
.B sweep:
.B method
is grid (every combination) or random;
.B metric
has the
.B name
of the column of trials.csv by which trials are compared and its
.BR goal ,
maximize or minimize;
.B parameters
has a list of values for each option that is swept, by the name behind the section's.
A random sweep also takes {uniform: [a, b]}, {log_uniform: [a, b]} and {int: [a, b]}.
.TP
.B augmentations:
names for sets of changes to the training images, for
.B train.augment
to choose from.
.TP
.B table:
the swept options down the side
.RB ( rows )
and along the top
.RB ( columns )
of the result table, and the metric of its cells
.RB ( value ).
.SH OPTIONS
.B \-\-set
of
.B cnnsweep train
takes these too, such as
.BR "\-\-set train.epochs=2" .
END
    options_list
    printf '.SH EXAMPLE\n.nf\n'
    grep -v '^#' "$job" | escape
    printf '.fi\n'
    see_also cnnsweep-job
}

case $page in
cnnsweep.1) commands_page ;;
cnnsweep-job.5) job_page ;;
*.1) program_page "${page%.1}" ;;
*) echo "manual.sh: no page $page" >&2 && exit 2 ;;
esac
