#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 60
# tools/demo/run, tests/run and tools/setup, called by a user: by sudo, by su, or with a
# sentence; and what tools/setup installs for the demo. sudo, su and dpkg-query are stand-ins.
. "$(dirname "$0")/lib.sh"

tree=$RUN/tree
mkdir -p "$tree" "$RUN/with-sudo" "$RUN/with-su" "$RUN/bare"
cp -r "$TOP/tools" "$tree/"
mkdir "$tree/tests"
cp "$TOP/tests/run" "$TOP/tests/list" "$tree/tests/"
chmod -R a+rX "$RUN"

stand_in()
{
	printf '#!/bin/bash\n%s\n' "$2" > "$1"
	chmod 755 "$1"
}
# shellcheck disable=SC2016
stand_in "$RUN/with-sudo/sudo" '[ "$1" = -n ] || echo "sudo: $*"'
# shellcheck disable=SC2016
stand_in "$RUN/with-su/su" 'echo "su: $*"'
# No package is installed.
stand_in "$RUN/bare/dpkg-query" true

# as_user PATH-DIRECTORY COMMAND...: without a terminal. The machine's own sudo is hidden.
as_user()
{
	local first=$1
	shift
	setpriv --reuid 65534 --regid 65534 --clear-groups env -i TMPDIR=/tmp \
		PATH="$RUN/$first:$RUN/bare:/usr/bin:/bin" "$@" < /dev/null
}

by_sudo=$(as_user with-sudo "$tree/tools/demo/run" --keep)
is "the demo, by sudo" "$(grep -c "sudo: env PATH=.* $tree/tools/demo/run --keep$" <<< "$by_sudo")" -eq 1
by_sudo=$(as_user with-sudo "$tree/tests/run" nat 2>&1)
is "tests, by sudo" "$(grep -c "sudo: env PATH=.* $tree/tests/run nat$" <<< "$by_sudo")" -eq 1

terminal()
{
	# shellcheck disable=SC2016
	as_user with-su script -qec "$*" /dev/null
}
if [ ! -e /usr/bin/sudo ]; then
	is "the demo, by su" "$(terminal "$tree/tools/demo/run" | grep -c "su: root -c env .*tools/demo/run")" -eq 1
	is "packages, by su" "$(terminal "$tree/tools/setup" build | grep -c "su: root -c env .*tools/setup build")" -eq 1
	for script in tools/demo/run tests/run "tools/setup demo"; do
		status=0
		# shellcheck disable=SC2086
		as_user bare "$tree"/$script > "$RUN/said" 2>&1 || status=$?
		is "$script without sudo and terminal ends with" $status -eq 2
		is "$script names the command" "$(grep -c "As root, run: $tree/$script" "$RUN/said")" -eq 1
	done
fi

# Each set has what the set before it has. The demo needs no compiler but gcc.
needs()
{
	{ as_user bare "$tree/tools/setup" --check "$1" || true; } | sed 's/^setup: missing: //' | tr ' ' '\n' | sort
}
for set in build demo test full; do needs $set > "$RUN/$set"; done
is "build within demo" "$(comm -23 "$RUN/build" "$RUN/demo" | wc -l)" -eq 0
is "demo within test" "$(comm -23 "$RUN/demo" "$RUN/test" | wc -l)" -eq 0
is "test within full" "$(comm -23 "$RUN/test" "$RUN/full" | wc -l)" -eq 0
is "tools of tests in the demo's set" \
	"$(grep -cE '^(clang|clang-format|shellcheck|codespell|libcmocka-dev|dpdk-dev|bird2|vsftpd)$' "$RUN/demo" || true)" -eq 0
is "README's commands with sudo" "$(grep -c '^    sudo' "$TOP/README.md" || true)" -eq 0
