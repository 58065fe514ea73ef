#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 90
. "$(dirname "$0")/lib.sh"

# A file of each format is imported as it is; the machine's own part stands in for `node`.
network_two_armed 1 2
for i in 1 2; do web_start server$i; done
plvs_config
plvs_start

cat > "$RUN/lvs.cf" <<-END
	serial_no = 1
	primary = 192.0.2.10
	service = lvs
	backup_active = 0
	network = nat
	nat_router = $GATEWAY eth1:1
	nat_nmask = 255.255.0.0
	virtual web {
	    active = 1
	    address = 192.0.2.80 eth0:1
	    port = 80
	    send = "GET / HTTP/1.0\r\n\r\n"
	    expect = "HTTP"
	    scheduler = wrr
	    timeout = 1
	    reentry = 1
	    server one {
	        address = 10.10.0.11
	        active = 1
	        weight = 1
	    }
	    server two {
	        address = 10.10.0.12
	        active = 1
	        weight = 3
	    }
	}
END
cat > "$RUN/keepalived.conf" <<-END
	\$SERVERS=10.10.0
	virtual_server 192.0.2.80 80 {
	    protocol TCP
	    delay_loop 1
	    lb_algo wrr
	    lb_kind NAT
	    real_server \${SERVERS}.11 80 {
	        weight 1
	        HTTP_GET {
	            url {
	                path /
	                status_code 200
	            }
	            bindto $GATEWAY
	        }
	    }
	    real_server \${SERVERS}.12 80 {
	        weight 3
	        TCP_CHECK {
	            connect_timeout 1
	        }
	    }
	}
END
cat > "$RUN/ipvsadm.rules" <<-END
	-A -t 192.0.2.80:80 -s wrr
	-a -t 192.0.2.80:80 -r 10.10.0.11:80 -m -w 1
	-a -t 192.0.2.80:80 -r 10.10.0.12:80 -m -w 3
END
cat > "$RUN/ldirectord.cf" <<-END
	checkinterval=1
	checktimeout=1
	virtual=192.0.2.80:80
	    real=10.10.0.11:80 masq 1
	    real=10.10.0.12:80 masq 3
	    service=http
	    request="/"
	    receive="server[12]"
	    scheduler=wrr
	    protocol=tcp
	    checktype=negotiate
END

# DPVS's keepalived: full NAT by addresses of a pool.
cat > "$RUN/dpvs.conf" <<-END
	local_address_group laddr {
	    10.10.0.200 dpdk1
	}
	virtual_server 192.0.2.80 80 {
	    delay_loop 1
	    lb_algo wrr
	    lb_kind FNAT
	    protocol TCP
	    laddr_group_name laddr
	    real_server 10.10.0.11 80 {
	        weight 1
	        TCP_CHECK {
	            connect_timeout 1
	        }
	    }
	    real_server 10.10.0.12 80 {
	        weight 3
	        TCP_CHECK {
	            connect_timeout 1
	        }
	    }
	}
END

# import FILE: the configuration of the router with what the file says in `shared`.
import()
{
	ctl import "$RUN/$1" > "$RUN/$1.imported" 2> "$RUN/$1.report" || fail "$(cat "$RUN/$1.report")"
	sed '/^[[:space:]]*\/\//d' "$RUN/$1.imported" | jq -s --argjson own "$PLVS_ADDRESSES" \
		'.[0] * {shared: .[1].shared} * {shared: {addresses:
		 ($own + (.[1].shared.addresses // []) | unique_by(.address))}}' \
		"$RUN/plvs.json" - > "$RUN/$1.json"
	"$BUILD/src/plvs" -t -c "$RUN/$1.json" > "$RUN/$1.tested" 2>&1 || fail "$(cat "$RUN/$1.tested")"
	ctl config apply "$RUN/$1.json" > /dev/null
}

both_up()
{
	web_ask client1 192.0.2.80 8 > "$RUN/answers"
	[ "$(answers_by "$RUN/answers" server1)" -eq 2 ] && [ "$(answers_by "$RUN/answers" server2)" -eq 6 ]
}

for file in lvs.cf keepalived.conf ipvsadm.rules ldirectord.cf dpvs.conf; do
	ctl config apply "$RUN/plvs.json" > /dev/null
	import $file
	wait_for 20 "both servers of $file serve by their weights" both_up
done
grep -qF "$GATEWAY - - " "$RUN/web-server1/access.log" ||
	fail "no check came from the address that bindto names"
is "connections by full NAT, from the address of dpvs.conf" \
	"$(ctl --json connection list | jq '[.rows[] | select(tostring | contains("10.10.0.200"))] | length')" -ge 8
doors_add_up
plvs_stop
