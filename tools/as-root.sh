# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# How scripts of this repository get root, and how a script that runs as root builds: as the
# owner of the tree, so that the owner can go on in the same build folder. Sourced.

# A bare Debian's user has no sbin in PATH, and su keeps the user's PATH.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# as_root WHY SCRIPT [ARGUMENT...]: for root, returns at once. For another user, runs the
# script again as root, by sudo or else by su, and does not return. Both may ask for a
# password at a terminal. Without a way to become root: a sentence, and exit status 2.
as_root()
{
	local why=$1 variables=() name command
	shift
	[ "$(id -u)" -ne 0 ] || return 0
	for name in PLVS_BUILD PLVS_DRIVER PLVS_FRAMES PLVS_JOBS TMPDIR; do
		[ -z "${!name:-}" ] || variables+=("$name=${!name}")
	done
	if command -v sudo > /dev/null && { sudo -n true 2> /dev/null || { [ -t 0 ] && sudo -v; }; }; then
		exec sudo env "PATH=$PATH" ${variables[@]+"${variables[@]}"} "$@"
	fi
	printf -v command '%q ' env "PATH=$PATH" ${variables[@]+"${variables[@]}"} "$@"
	if command -v su > /dev/null && [ -t 0 ]; then
		echo "$why needs root; su asks for root's password." >&2
		exec su root -c "$command"
	fi
	printf -v command '%q ' "$@"
	echo "$why needs root, and neither sudo nor su can ask for it here. As root, run: $command" >&2
	exit 2
}

# as_owner DIRECTORY COMMAND...: runs the command as the owner of the directory, or of the
# first one above it that exists, where root works in the tree of another user.
as_owner()
{
	local path=$1 owner
	shift
	until [ -e "$path" ]; do path=$(dirname "$path"); done
	owner=$(stat -c %U "$path")
	if [ "$(id -u)" -ne 0 ] || [ "$owner" = root ] || [ "$owner" = UNKNOWN ]; then
		"$@"
	else
		runuser -u "$owner" -- env "HOME=$(getent passwd "$owner" | cut -d: -f6)" "$@"
	fi
}

# build_ready DIRECTORY SOURCE [MESON-OPTION...]: sets the build folder up if there is none.
build_ready()
{
	local folder=$1 source=$2
	shift 2
	[ -e "$folder/build.ninja" ] || as_owner "$folder" meson setup "$@" "$folder" "$source"
}
