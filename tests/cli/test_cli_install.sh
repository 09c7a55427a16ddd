#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `cmake --install` installs everything, and it works from there: programs, manual, completion, batch scripts.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
    echo "$*" >&2
    exit 1
}
build=${CNNSWEEP_BIN%/bin} prefix=$scratch/usr
[ -e "$build/man" ] || { echo "the manual is not built: nothing checked"; exit 77; }
cmake --install "$build" --prefix "$prefix" >"$scratch/log" || { cat "$scratch/log"; exit 1; }
cd "$scratch"

for program in cnnsweep cnnsweep-pack cnnsweep-synthetic; do
    "$prefix/bin/$program" --version | grep -q "^$program [0-9]" || fail "$program does not run"
    [ -e "$prefix/share/bash-completion/completions/$program" ] || fail "$program has no completion"
    zcat -f "$prefix/share/man/man1/$program.1"* | grep -q '^\.SH NAME' || fail "$program has no page in the manual"
done
[ -e "$prefix/share/doc/cnnsweep/examples/demo.yaml" ] || fail "the example jobs are missing"
[ -e "$prefix/share/doc/cnnsweep/LICENSE" ] || fail "the licence is missing"

# Every command and its options are in cnnsweep(1), every option of a job is in cnnsweep-job(5).
page() {
    zcat -f "$prefix/share/man/man${1##*.}/$1"* | sed 's/\\//g'
}
page cnnsweep.1 >commands
"$prefix/bin/cnnsweep" help | awk '/^  [a-z]/ && $1 != "help" {print toupper($1)}' >names
[ -s names ] || fail "no commands are listed"
while read -r name; do grep -qx ".SH $name" commands || fail "cnnsweep(1) lacks $name"; done <names
for option in --resume --rows --fine-tune --arch --markdown; do
    grep -q "^\.B $option" commands || fail "cnnsweep(1) lacks $option"
done
page cnnsweep-job.5 | sed -n 's/^\.B //p' >options
"$prefix/bin/cnnsweep" options | awk '/^[a-z]/ {print $1}' >names
[ -s names ] || fail "no options are listed"
while read -r name; do grep -qx "$name" options || fail "cnnsweep-job(5) lacks $name"; done <names
if command -v man >/dev/null; then
    for file in "$prefix"/share/man/man?/*; do
        warnings=$(man --warnings -l "$file" 2>&1 >/dev/null)
        [ -z "$warnings" ] || fail "$file: $warnings"
    done
fi

# complete_words WORDS...: prints what bash offers for the last word.
complete_words() {
    bash -c '
        . "$0"
        compopt() { :; }
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _cnnsweep
        printf "%s\n" "${COMPREPLY[@]}"' "$prefix/share/bash-completion/completions/cnnsweep" "$@"
}
offers() {
    local wanted=$1
    shift
    complete_words "$@" | grep -qx -- "$wanted" || fail "completion of '$*' does not offer $wanted"
}
program=$prefix/bin/cnnsweep
offers train "$program" ''
offers --resume "$program" train --re
offers train.optimizer= "$program" train --set train.opt
offers convert "$program" weights ''
offers --arch "$program" weights convert --
offers --split "$program-pack" --sp
offers --classes "$program-synthetic" --
[ "$(complete_words "$program" train --set lr)" = "" ] || fail "completion offers words that do not begin with lr"

# The batch scripts find the programs beside them. This sbatch prints the arguments that it was called with.
mkdir tools
printf '#!/bin/sh\necho "$@" in "$CNNSWEEP_HOME"\n' >tools/sbatch
chmod +x tools/sbatch
PATH=$scratch/tools:$PATH "$prefix/share/cnnsweep/slurm/submit.sh" --ntasks=2 sweep.sbatch job.yaml >said
grep -qx -- "--ntasks=2 sweep.sbatch job.yaml in $prefix/share/cnnsweep" said || fail "submit.sh: $(cat said)"
found=$(env -u CNNSWEEP_BIN bash -c '. "$0"; check_program cnnsweep; echo "$bin"' "$prefix/share/cnnsweep/slurm/common.sh")
[ "$found" = "$prefix/bin" ] || fail "the batch scripts look for programs in '$found'"
[ ! -e "$prefix/share/cnnsweep/slurm/site.conf" ] || fail "this site's settings were installed"
