# Completion of cnnsweep, cnnsweep-pack and cnnsweep-synthetic for bash. It asks the programs what they take, so that
# nothing is to be added here for a new command or option.

# Commands and their descriptions stand in the indented list of `cnnsweep help`.
_cnnsweep_commands() {
    "$1" help 2>/dev/null | awk '/^  [a-z]/ {print $1}'
}

# Actions of a command, such as `check` of `cnnsweep weights`: its help has a line of usage for each.
_cnnsweep_actions() {
    "$1" "$2" --help 2>/dev/null | awk -v command="$2" '$1 == "cnnsweep" && $2 == command && $3 ~ /^[a-z]+$/ {print $3}'
}

# Options, as --help lists them.
_cnnsweep_options() {
    "$@" --help 2>/dev/null | awk '/^  --/ {print $1}'
}

_cnnsweep_reply() {
    mapfile -t COMPREPLY < <(compgen "$@")
}

_cnnsweep() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=("${COMP_WORDS[0]}") actions=
    COMPREPLY=()
    if [ "${words[0]##*/}" = cnnsweep ]; then # the words before the options: the command, and its action if it has any
        if [ "$COMP_CWORD" -eq 1 ]; then
            _cnnsweep_reply -W "$(_cnnsweep_commands "${words[0]}")" -- "$current"
            return
        fi
        words+=("${COMP_WORDS[1]}")
        actions=$(_cnnsweep_actions "${words[@]}")
        if [ -n "$actions" ] && [ "$COMP_CWORD" -eq 2 ]; then
            _cnnsweep_reply -W "$actions" -- "$current"
            return
        fi
        [ -z "$actions" ] || words+=("${COMP_WORDS[2]}")
    fi
    if [ "$previous" = --set ]; then
        compopt -o nospace
        _cnnsweep_reply -S = -W "$("${words[0]}" options 2>/dev/null | awk '/^[a-z]/ {print $1}')" -- "$current"
    elif [[ $current == -* ]]; then
        _cnnsweep_reply -W "$(_cnnsweep_options "${words[@]}")" -- "$current"
    else
        compopt -o filenames
        _cnnsweep_reply -f -- "$current"
    fi
}

complete -F _cnnsweep cnnsweep cnnsweep-pack cnnsweep-synthetic
