# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Completion of praxisctl for bash. Commands and options are read from its own help, so that they
# are those of the praxisctl that is installed; the names of services from the server, if it answers
# at once.

# The words of the commands: the first of each line between "Usage" and the options.
_praxisctl_commands()
{
	"$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\( verify\| check\)\{0,1\}\)  *.*/\1/p' | cut -d ' ' -f 1
}

# The long options of the command of these words.
_praxisctl_options()
{
	"$1" help "${@:2}" 2>/dev/null | grep -oE -- '^ +(-[A-Za-z], +)?--[a-z-]+' | grep -oE -- '--[a-z-]+'
}

_praxisctl_locks()
{
	"$1" locks --timeout 0.5 2>/dev/null | sed -n '2,$s/ .*//p'
}

_praxisctl_services()
{
	"$1" services --timeout 0.5 2>/dev/null | sed -n '2,$s/ .*//p'
}

# Told that they are files, bash quotes spaces and goes on into directories.
_praxisctl_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_praxisctl()
{
	local program=$1 current=$2 previous=$3 command=${COMP_WORDS[1]-} words=
	local -a name=("$command")
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		words="$(_praxisctl_commands "$program") help --help --version"
	elif [ "$command" = help ]; then
		words=$(_praxisctl_commands "$program")
	elif [ "$command" = audit ] && [ "$COMP_CWORD" -eq 2 ]; then
		words=verify
	elif [ "$command" = plugin ] && [ "$COMP_CWORD" -eq 2 ]; then
		words=check
	else
		case $command in
		audit) name=(audit verify) ;;
		plugin) name=(plugin check) ;;
		esac
		case $previous in
		--*-file | --cacert | --config)
			_praxisctl_files "$current"
			return
			;;
		--role)
			words='staff patient service admin'
			;;
		--type)
			words='whiteboard_update telemedicine_chat_message'
			;;
		--service)
			words=$(_praxisctl_services "$program")
			;;
		*)
			case $command:$current in
			*:-*) words=$(_praxisctl_options "$program" "${name[@]}") ;;
			enable:* | disable:*) words=$(_praxisctl_services "$program") ;;
			unlock:*) words=$(_praxisctl_locks "$program") ;;
			audit:* | plugin:*)
				_praxisctl_files "$current"
				return
				;;
			esac
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _praxisctl praxisctl
