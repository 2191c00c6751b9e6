# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What `run` and `test` share: saying what happens, Debian's packages, build directories.
# Sourced, by bash with `set -euo pipefail`.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
ticker=

clean_up()
{
	if [ -n "$ticker" ]; then
		kill "$ticker" 2>/dev/null || true
	fi
	rm -rf -- "$scratch"
}
trap clean_up EXIT
# Otherwise a step that ends in good order on Ctrl-C, as ninja does, would only have failed.
trap 'exit 130' INT
trap 'exit 143' TERM

say()
{
	printf '%s\n' "$*"
}

# fail SENTENCE...: each on a line of its own: what is wrong, then what to do.
fail()
{
	printf 'scripts/%s: %s\n' "$(basename -- "$0")" "$1" >&2
	shift
	if [ $# -gt 0 ]; then
		printf '    %s\n' "$@" >&2
	fi
	exit 1
}

# How far what writes $log is: "12 of 68", from ninja's [12/68], or from the last " 12/68 " of meson test; of
# TAP how many tests have passed.
progress()
{
	local line passed
	if [ "$(head -c 11 -- "$log" 2>/dev/null | tr -d '\0')" = 'TAP version' ]; then
		passed=$(grep -acE '^ *ok [0-9]+' -- "$log") || true
		printf ', %s passed' "$passed"
		return
	fi
	line=$(tail -c 4096 -- "$log" 2>/dev/null | grep -aoE '^(\[|[[:space:]]*)[0-9]+/[0-9]+[] ]' | tail -n 1) || true
	[ -n "$line" ] || return 0
	line=${line//[^0-9\/]/}
	printf ', %s of %s' "${line%/*}" "${line#*/}"
}

# step TITLE COMMAND...: runs it with its output in $log, and says how long it took. Shows where
# somebody watches that it is alive, and how far it is. If it fails: the last lines of that, and its
# exit status.
log=$scratch/log
tail_lines=40
step()
{
	local title=$1 begin=$SECONDS status=0
	shift
	printf '==> %s ... ' "$title"
	: >"$log"
	if [ -t 1 ]; then
		while sleep 1; do
			printf '\r==> %s ... %d s%s ' "$title" $((SECONDS - begin)) "$(progress)"
		done &
		ticker=$!
	fi
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [ -n "$ticker" ]; then
		kill "$ticker" 2>/dev/null || true
		wait "$ticker" 2>/dev/null || true
		ticker=
		printf '\r\033[K==> %s ... ' "$title"
	fi
	if [ "$status" -ne 0 ]; then
		say "failed after $((SECONDS - begin)) s:"
		# What ninja did without a fault is no part of the reason.
		grep -avE '^\[[0-9]+/[0-9]+\] ' -- "$log" | tail -n "$tail_lines" | sed 's/^/    /' || true
		return "$status"
	fi
	say "$((SECONDS - begin)) s"
}

# ---- Debian's packages ----
#
# A package: "name probe purpose". The probe tells whether it is needed at all: cmd=NAME, a program
# that may come from elsewhere; run=FUNCTION, which says so by its exit status; pc=NAME, a library,
# which dpkg is asked for, or pkg-config where there is no dpkg.

# What building and running take; scripts/test adds its own.
packages=(
	'gcc cmd=gcc the C compiler'
	'libc6-dev pc= the C library, to compile with'
	'meson cmd=meson the build system'
	'ninja-build cmd=ninja what meson drives'
	'pkg-config cmd=pkg-config finds the libraries'
	'libwebsockets-dev pc=libwebsockets HTTP and WebSocket, 4.1.6 or newer'
	'libwebsockets-evlib-uv pc= lets libwebsockets run on libuv'
	'libuv1-dev pc=libuv the event loop'
	'libjson-c-dev pc=json-c JSON, 0.16 or newer'
	'libssl-dev pc=libcrypto cryptography, OpenSSL 3'
	'libcurl4-openssl-dev pc=libcurl asking the application of its users (auth-url)'
	'librhonabwy-dev pc=librhonabwy checking tokens'
)

is_there()
{
	local name=$1 probe=$2
	case $probe in
	cmd=*)
		command -v "${probe#cmd=}" >/dev/null
		;;
	run=*)
		"${probe#run=}" >/dev/null 2>&1
		;;
	*)
		if command -v dpkg-query >/dev/null; then
			[ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ]
		else
			[ "$probe" = pc= ] || pkg-config --exists "${probe#pc=}" 2>/dev/null
		fi
		;;
	esac
}

# Sets `missing`: names, as apt-get takes them, and `missing_table`: with their purpose, for people.
find_missing()
{
	local name probe purpose line
	missing=()
	missing_table=()
	for line in "${packages[@]}"; do
		read -r name probe purpose <<<"$line"
		if ! is_there "$name" "$probe"; then
			missing+=("$name")
			missing_table+=("$(printf '%-24s %s' "$name" "$purpose")")
		fi
	done
}

apt_get()
{
	local as_root=()
	if [ "$(id -u)" -ne 0 ]; then
		as_root=(sudo)
	fi
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

os_release()
{
	# shellcheck source=/dev/null
	(. /etc/os-release 2>/dev/null && printf '%s' "${!1-}") || true
}

# The right to install: from root, or from sudo, which asks for it here and for nothing else.
become_installer()
{
	if [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; then
		return
	fi
	if ! command -v sudo >/dev/null; then
		fail 'packages are missing, and only root can install them (there is no sudo here). As root:' \
			"apt-get update && apt-get install --no-install-recommends ${missing[*]}"
	fi
	say 'Debian packages are missing, and sudo is asked for their installation, nothing else:'
	printf '    %s\n' "${missing_table[@]}"
	if ! sudo -v; then
		fail 'sudo refused. Somebody who may install packages has to do this first:' \
			"apt-get update && apt-get install --no-install-recommends ${missing[*]}"
	fi
}

# Nothing is asked and nothing fetched when all is there.
install_packages()
{
	find_missing
	if [ ${#missing[@]} -eq 0 ]; then
		return
	fi
	local id version
	id=$(os_release ID)
	version=$(os_release VERSION_ID)
	if ! command -v apt-get >/dev/null; then
		fail "this is no Debian ($(os_release PRETTY_NAME)), so nothing is installed by itself." \
			'Install what these Debian packages hold, and start again:' "${missing_table[@]}"
	fi
	if [ "$id" = debian ] && [ -n "$version" ] && [ "$version" -lt 12 ]; then
		fail "Debian $version is too old: Debian 12 (bookworm) or 13 (trixie) is needed."
	fi
	if [ "$id" != debian ]; then
		say "This is $(os_release PRETTY_NAME), not Debian 12 or 13: trying with the same package names."
	fi
	become_installer
	say "Missing: ${missing[*]}"
	local tail_lines=8
	if ! step 'Fetching the package lists' apt_get update -o APT::Update::Error-Mode=any; then
		say 'Not all package lists could be fetched; trying with those that are here.'
	fi
	if ! step 'Installing what is missing' \
			apt_get install --no-install-recommends "${missing[@]}"; then
		fail 'the packages could not be installed. What helps:' \
			'- no network, or a proxy: see that "apt-get update" works, then start again;' \
			'- "Unable to locate package": see the sources in /etc/apt; "main" of Debian 12 or 13 has all;' \
			'- another installation is running: wait for its end; broken off: dpkg --configure -a.' \
			'What is missing, and what for:' "${missing_table[@]}"
	fi
	find_missing
	if [ ${#missing[@]} -gt 0 ]; then
		fail "installed, but not found: ${missing[*]}"
	fi
}

# ---- Debian roots ----

# The mirror that this machine's apt takes Debian from, without the security updates, which have another.
debian_mirror()
{
	local lists=/etc/apt/sources.list.d
	sed 's/^[[:space:]]*#.*//' /etc/apt/sources.list "$lists"/*.list "$lists"/*.sources 2>/dev/null |
		grep -oE '[a-z]+:/[^][:space:]]*/debian(/[0-9TZ]+)?/?([[:space:]]|$)' | head -n 1 | tr -d '[:space:]' || true
}

# ---- build directories ----

# configure DIRECTORY OPTION...: once.
configure()
{
	local directory=$1
	shift
	if [ ! -f "$directory/build.ninja" ]; then
		step "Configuring ${directory#"$root"/}" meson setup "$@" "$directory" "$root"
	fi
}

# compile DIRECTORY [TARGET...]: what has changed.
compile()
{
	step "Building ${1#"$root"/}" env NINJA_STATUS='[%f/%t] ' ninja -C "$@"
}

# ---- what npm fetches ----

npm_seconds=${PRAXIS_NPM_SECONDS:-90}

# npm_ci TITLE DIRECTORY: for no longer than that; npm itself would try for minutes, and SIGTERM
# does not end it while it waits for an answer.
npm_ci()
{
	step "$1 (npm ci, $npm_seconds s at most)" timeout --foreground --kill-after=3 "$npm_seconds" npm --prefix "$2" ci \
		--no-audit --no-fund --prefer-offline --fetch-retries=1 --fetch-retry-mintimeout=1000 \
		--fetch-retry-maxtimeout=5000 --fetch-timeout=30000
}
