# Completion of scarlet for bash. What there is to complete, the command's own --help tells.

# Those of the lines that begin with the current word.
_scarlet_offer()
{
    local IFS=$'\n'
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
    compopt +o default +o bashdefault 2>/dev/null # no files instead
}

_scarlet()
{
    local own=${1/#\~/$HOME} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local help word command='' commands assigned=''
    COMPREPLY=()
    # "=" is a word of its own in COMP_WORDS.
    if [[ $cur == = ]]; then
        cur='' assigned=1
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]} assigned=1
    fi

    help=$("$own" --help 2>/dev/null) || return
    commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$help")
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] || { command=$word && break; }
    done
    if [[ $command ]]; then
        [[ $'\n'$commands$'\n' == *$'\n'"$command"$'\n'* ]] || return
        help=$("$own" "$command" --help 2>/dev/null) || return
    fi

    # "-m --model FILE-", "--json -": a line an option.
    local options
    options=$(sed -nE '/^Options:/,/^$/s/^  (-.|  ). (--[a-z0-9-]+)( ([A-Z][^ ]*|[^ |]+\|[^ ]+))?( .*)?$/\1 \2 \4-/p' <<<"$help")
    local argument=''
    if [[ $prev == -?* ]]; then
        argument=$(awk -v option="$prev" '$1 == option || $2 == option { print $NF }' <<<"$options")
        [[ $assigned || $argument != - ]] || argument=''
    fi
    case $argument in
    FILE- | FOLDER- | OTHER- | TARGET-) ;; # bash's own files
    NAME=VALUE-)
        _scarlet_offer "$(sed -n '/^Names for --opt/,/^$/s/^  \([a-z_]*\) .*/\1=/p' <<<"$help")"
        compopt -o nospace 2>/dev/null
        ;;
    *\|*) # words, and in capitals what they stand for
        _scarlet_offer "$(tr '|' '\n' <<<"${argument%-}" | grep -v '^[A-Z][A-Z0-9:]*$')"
        [[ $argument != *\|FILE- ]] || compopt -o default 2>/dev/null
        ;;
    ?*) _scarlet_offer '' ;;
    *)
        if [[ $assigned ]]; then # --opt NAME=VALUE
            prev=${prev##*,}
            [[ $prev == *[!a-z_]* ]] || _scarlet_offer "$(
                sed -n "/^Names for --opt/,/^\$/{/^  $prev /{n;s/^   *//p}}" <<<"$help" | tr -s ', ' '\n')"
        elif [[ $cur == -* ]]; then
            _scarlet_offer "$(grep -o -- '--[a-z0-9-]*[a-z0-9]' <<<"$options")"
        elif [[ ! $command || $command == help ]]; then
            _scarlet_offer "$commands"
        fi
        ;;
    esac
}

complete -o bashdefault -o default -F _scarlet scarlet
