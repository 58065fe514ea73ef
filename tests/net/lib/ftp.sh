# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# FTP servers for namespace tests. Sourced by the tests that need them.

# ftp_start N: an anonymous server in serverN, with the files `who` (its name) and `big`
# (4 MiB), and a directory for uploads.
ftp_start()
{
	local dir=$RUN/ftp$1 listen=listen
	[ "$FAMILY" = 4 ] || listen=listen_ipv6
	chmod 711 "$RUN"
	mkdir -p "$dir/root/upload" "$dir/empty"
	echo "server$1" > "$dir/root/who"
	head -c 4194304 /dev/urandom > "$dir/root/big"
	chmod 755 "$dir" "$dir/root" "$dir/empty"
	chmod 644 "$dir/root/who" "$dir/root/big"
	chown ftp "$dir/root/upload"
	cat > "$dir/conf" <<- END
		$listen=YES
		background=NO
		anonymous_enable=YES
		no_anon_password=YES
		anon_root=$dir/root
		write_enable=YES
		anon_upload_enable=YES
		anon_umask=022
		connect_from_port_20=YES
		secure_chroot_dir=$dir/empty
		seccomp_sandbox=NO
		isolate=NO
		isolate_network=NO
	END
	on_background "server$1" "ftp$1" vsftpd "$dir/conf"
	wait_for 10 "server$1 takes FTP" port_listens "server$1" 21
}
