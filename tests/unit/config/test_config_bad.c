/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/json_text.h"

/* Documents that are refused, and what a person reads about them. */

static const char *const schedulers[] = {"lc", "rr", "wlc", "wrr", NULL};

/* Around a list of services, from line 4 on; two ports with addresses of their own. */
#define SERVICES(list)                                                                             \
	"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\",\"linux\":{\"addresses\":["  \
	"\"192.0.2.10/24\"],\"vlans\":[{\"id\":10}]}},\n"                                          \
	"{\"name\":\"private\",\"device\":\"d1\"}]},\n"                                            \
	"\"shared\":{\"services\":[\n" list "\n]}}"
#define ADDRESSES(list)                                                                            \
	"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\",\"linux\":{\"addresses\":["  \
	"\"192.0.2.10/24\",\"2001:db8::10/64\"],\"vlans\":[{\"id\":10}]}}]},\n"                    \
	"\"shared\":{\"addresses\":[\n" list "\n]}}"
#define MARKS(list)                                                                                \
	"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}]},\n"                       \
	"\"shared\":{\"marks\":[\n" list "\n]}}"
#define WEB(more)    "{\"protocol\":\"tcp\",\"listen\":\"192.0.2.80:80\"" more "}"
#define SERVER(more) WEB(",\"servers\":[{\"address\":\"10.0.0.1:80\"" more "}]")

#define V6_WEB(server)                                                                             \
	"{\"protocol\":\"tcp\",\"listen\":\"[2001:db8::1]:80\",\"servers\":[{\"address\":" server  \
	"}]}"
#define V6_SERVER "f:4:69: shared.services[0].servers[0].address: "

struct bad {
	const char *text;
	const char *error; /* as config_error_format() writes it, all of them, one a line */
};

static const struct bad bad[] = {
	/* The document. */
	{"", "f:1:1: not valid JSON: '[' or '{' expected near end of file"},
	{"[]", "f:1:1: expected an object: a configuration in { }"},
	{"{} {}", "f:1:4: not valid JSON: end of file expected near '{'"},
	{"{\"node\":{}\n \"shared\":{}}", "f:2:2: not valid JSON: '}' expected near '\"shared\"'"},
	{"{\"node\":{},}", "f:1:12: not valid JSON: string or '}' expected near '}'"},
	{"{\"node\":{\"name\":\"a", "f:1:19: not valid JSON: premature end of input near '\"a'"},
	{"{\"node\":{},\n\t\"node\":{}}",
	 "f:2:2: not valid JSON: duplicate object key near '\"node\"'"},
	{"{ /* no */ }", "f:1:3: comments start with // or # and end with the line"},
	{"{\"node\":{\"name\":\"\xc3\"}}", "f:1:18: byte 0xc3 is not valid UTF-8"},
	{"{\"\xc3\xbc\":1}", "f:1:2: [\"\xc3\xbc\"]: \"\xc3\xbc\" is not a key of a configuration"},
	{"// a comment: \" [ {\n# and another\n{\"nod\":1}",
	 "f:3:2: nod: \"nod\" is not a key of a configuration (did you mean \"node\"?)"},
	{"{\"node\":{\"name\":null}}",
	 "f:1:17: node.name: expected letters, digits, '.', '_' and '-', at most 63 characters, "
	 "not null"},
	{"{\"no\\u0064e\":{\"n\\u0061me\":1}}",
	 "f:1:27: node.name: expected letters, digits, '.', '_' and '-', at most 63 characters, "
	 "not a number"},
	/* Mark rules. */
	{MARKS("{\"destination\":\"10.0.0.0/8\"}"),
	 "f:3:1: shared.marks[0].mark: missing: expected a number from 0 to 4294967295"},
	{MARKS("{\"destination\":\"!0.0.0.0/0\",\"mark\":1}"),
	 "f:3:16: shared.marks[0].destination: \"!0.0.0.0/0\" is not a prefix: expected a prefix, "
	 "as \"10.0.0.0/8\", or all but one, as \"!10.0.0.0/8\""},
	{MARKS("{\"source\":\"10.0.0.0/8\",\"destination\":\"2001:db8::/32\",\"mark\":1}"),
	 "f:3:38: shared.marks[0].destination: is of another family than \"source\": no packet has "
	 "both"},
	{MARKS("{\"family\":\"ipv4\",\"source\":\"2001:db8::/32\",\"mark\":1}"),
	 "f:3:27: shared.marks[0].source: is of another family than \"family\": no packet has "
	 "both"},
	{MARKS("{\"source\":\"fe80::%eth0/64\",\"mark\":1}"),
	 "f:3:11: shared.marks[0].source: \"fe80::%eth0/64\" has a scope identifier: expected the "
	 "address alone, which no link belongs to here"},
	{MARKS("{\"source\":\"2001:db8::1/64\",\"mark\":1}"),
	 "f:3:11: shared.marks[0].source: \"2001:db8::1/64\" is not a prefix: expected a prefix, "
	 "as "
	 "\"10.0.0.0/8\", or all but one, as \"!10.0.0.0/8\""},
	{MARKS("{\"destination_port\":\"90-80\",\"mark\":1}"),
	 "f:3:21: shared.marks[0].destination_port: \"90-80\" is not a port: expected a port or a "
	 "range, as 80, \"1000-1999\" or \"!80\""},
	{MARKS("{\"destination_port\":0,\"mark\":1}"),
	 "f:3:21: shared.marks[0].destination_port: 0 is out of range: expected a port or a range, "
	 "as 80, \"1000-1999\" or \"!80\""},
	{MARKS("{\"link\":\"!publik\",\"mark\":1}"),
	 "f:3:9: shared.marks[0].link: \"publik\" is not a link: expected a port or port.VLAN"},
	{MARKS("{\"protocol\":\"icmp\",\"mark\":1}"),
	 "f:3:13: shared.marks[0].protocol: \"icmp\" is not a protocol: expected one of tcp, udp, "
	 "!tcp, !udp"},
	{MARKS("{\"comment\":\"a\\u0007\",\"mark\":1}"),
	 "f:3:12: shared.marks[0].comment: \"a?\" is not a comment: expected text without control "
	 "characters, at most 255 characters"},
	/* Values. */
	{SERVICES(WEB(",\"scheduler\":\"wlcc\"")),
	 "f:4:56: shared.services[0].scheduler: \"wlcc\" is not a scheduler (did you mean "
	 "\"wlc\"?)"},
	{SERVICES(WEB(",\"scheduler\":\"carrot\"")),
	 "f:4:56: shared.services[0].scheduler: \"carrot\" is not a scheduler: expected one of lc, "
	 "rr, wlc, wrr"},
	/* IPv6. */
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":[\"[2001:db8::1]:80\",\"192.0.2.1:80\"]}"),
	 "f:4:48: shared.services[0].listen[1]: 192.0.2.1:80 is an IPv4 address: the service's "
	 "first "
	 "listener has an IPv6 address, and a service is of one family"},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"[fe80::1]:80\"}"),
	 "f:4:28: shared.services[0].listen[0]: fe80::1 is a link-local address: expected one that "
	 "is not of a single link"},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"[ff02::1]:80\"}"),
	 "f:4:28: shared.services[0].listen[0]: ff02::1 is a multicast address"},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"[fe80::1%eth0]:80\"}"),
	 "f:4:28: shared.services[0].listen: \"[fe80::1%eth0]:80\" has a scope identifier: "
	 "expected "
	 "the address alone, which no link belongs to here"},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"2001:db8::1:80\"}"),
	 "f:4:28: shared.services[0].listen: \"2001:db8::1:80\" is not address:port: expected "
	 "address:port, as \"10.1.0.100:80\" or \"[2001:db8::1]:80\""},
	{SERVICES(V6_WEB("\"[fe80::7]:80\"")),
	 V6_SERVER "fe80::7 is a link-local address: expected one "
		   "that is not of a single link"},
	{SERVICES(V6_WEB("\"[ff0e::7]:80\"")), V6_SERVER "ff0e::7 is a multicast address"},
	{SERVICES(V6_WEB("\"[::]:80\"")), V6_SERVER ":: is the unspecified address"},
	{SERVICES(V6_WEB("\"[::1]:80\"")),
	 V6_SERVER "::1 is a loopback address: a program of this router is a real server with "
		   "\"forward\": \"local\""},
	{SERVICES(V6_WEB("\"[::ffff:192.0.2.1]:80\"")),
	 V6_SERVER "::ffff:192.0.2.1 is an IPv4 address in the form of IPv6: expected the IPv4 "
		   "address"},
	{SERVICES(V6_WEB("\"192.0.2.9:80\"")),
	 V6_SERVER "192.0.2.9:80 is an IPv4 address of an IPv6 service: needs \"forward\": "
		   "\"fullnat\" or \"tunnel\", not \"nat\""},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"[2001:db8::1]:80\",\"family\":\"ipv6\"}"),
	 "f:4:56: shared.services[0].family: belongs to \"mark\": listeners say theirs by their "
	 "addresses"},
	{SERVICES(WEB(",\"persistence\":{\"timeout\":60,\"netmask\":64}")),
	 "f:4:82: shared.services[0].persistence.netmask: 64 is longer than an IPv4 address: "
	 "expected 0 to 32"},
	{SERVICES(WEB(",\"tunnel_source\":\"!2001:db8::/32\"")),
	 "f:4:60: shared.services[0].tunnel_source: expected a prefix, not all but one"},
	{"{\"shared\":{\"checks\":[{\"name\":\"c\",\"type\":\"tcp\",\"address\":\"fe80::1\"}]}}",
	 "f:1:57: shared.checks[0].address: is a link-local address: expected one that is not of a "
	 "single link"},
	{"{\"node\":{\"ports\":[{\"name\":\"p\",\"device\":\"d\",\"linux\":{\"addresses\":["
	 "\"2001:db8::1/64\",\"::1/128\"]}}]}}",
	 "f:1:83: node.ports[0].linux.addresses[1]: an interface cannot have this address"},
	{SERVICES("{\"mark\":1,\"family\":\"ipv6\"},{\"mark\":1,\"family\":\"ipv6\"}"),
	 "f:4:36: shared.services[1].mark: 1 is the mark of service fwmark:1/ipv6 already"},
	{SERVICES(WEB(",\"timeouts\":{\"udp\":\"500ms\"}")),
	 "f:4:62: shared.services[0].timeouts.udp: \"500ms\" is out of range: expected a time in "
	 "whole seconds, as \"15m\" or 900, from 1s to 31d"},
	{SERVICES(WEB(",\"timeouts\":{\"close\":0}")),
	 "f:4:64: shared.services[0].timeouts.close: 0 is out of range: expected a time in whole "
	 "seconds, as \"15m\" or 900, from 1s to 31d"},
	{SERVICES(SERVER(",\"weight\":2147483648")),
	 "f:4:89: shared.services[0].servers[0].weight: 2147483648 is out of range: expected a "
	 "number "
	 "from 0 to 2147483647 (MAX_WEIGHT)"},
	{SERVICES(SERVER(",\"weight\":-1")),
	 "f:4:89: shared.services[0].servers[0].weight: -1 is out of range: expected a number from "
	 "0 to 2147483647 (MAX_WEIGHT)"},
	{SERVICES(SERVER(",\"weight\":\"1\"")), "f:4:89: shared.services[0].servers[0].weight: "
						"expected a number from 0 to 2147483647, not a "
						"string"},
	{SERVICES(SERVER(",\"weight\":1.5")), "f:4:89: shared.services[0].servers[0].weight: "
					      "expected a number from 0 to 2147483647, not a "
					      "fraction"},
	{SERVICES(SERVER(",\"wieght\":1")),
	 "f:4:80: shared.services[0].servers[0].wieght: \"wieght\" is not a key of a real server "
	 "(did you mean \"weight\"?)"},
	{SERVICES(WEB(",\"servers\":[{}]")),
	 "f:4:55: shared.services[0].servers[0].address: missing: expected address:port, as "
	 "\"10.1.0.100:80\" or \"[2001:db8::1]:80\""},
	{SERVICES(WEB(",\"servers\":{}")), "f:4:54: shared.services[0].servers: expected a list"},
	{"{\"node\":{\"control\":{\"mode\":\"rw\"}}}",
	 "f:1:28: node.control.mode: \"rw\" is not a mode: expected permission bits as \"0600\""},
	{"{\"node\":{\"control\":{\"mode\":\"0666\"}}}",
	 "f:1:28: node.control.mode: 0666 lets every user of this machine control the router: "
	 "expected nothing for others, as \"0660\""},
	{"{\"node\":{\"control\":{\"socket\":\"/run/a\"},\"metrics\":{\"socket\":\"/run/a\"}}}",
	 "f:1:60: node.metrics.socket: is the control socket already: expected another path"},
	{"{\"node\":{\"metrics\":{\"listen\":\"127.0.0.1:0\"}}}",
	 "f:1:30: node.metrics.listen: \"127.0.0.1:0\" is out of range: expected address:port, as "
	 "\"10.1.0.100:80\" or \"[2001:db8::1]:80\""},
	{"{\"node\":{\"ports\":[{\"name\":\"a\",\"device\":\"d0\",\"linux\":{\"addresses\":["
	 "\"192.0.2.10/24\"]}},\n{\"name\":\"b\",\"device\":\"d1\",\"linux\":{\"vlans\":[{\"id\":5,"
	 "\"addresses\":[\"192.0.2.10/25\"]}]}}]}}",
	 "f:2:66: node.ports[1].linux.vlans[0].addresses[0]: 192.0.2.10 is an address of another "
	 "port or VLAN already"},
	{SERVICES(WEB(",\"one_packet\":true")),
	 "f:4:57: shared.services[0].one_packet: needs \"protocol\": \"udp\", not \"tcp\""},
	{SERVICES(WEB(",\"servers\":[{\"address\":\"127.0.0.1:80\",\"sorry\":true}]")),
	 "f:4:66: shared.services[0].servers[0].address: 127.0.0.1 is a loopback address: a "
	 "program "
	 "of this router is a real server with \"forward\": \"local\""},
	{"{\"node\":{\"log\":{\"level\":\"warn\"}}}",
	 "f:1:25: node.log.level: \"warn\" is not a log level: expected one of error, warning, "
	 "notice, info, debug"},
	{"{\"node\":{\"workers\":{\"connections\":1023}}}",
	 "f:1:35: node.workers.connections: 1023 is neither 0 nor at least 1024"},
	{"{\"node\":{\"workers\":{\"connections\":2000,\"embryonic\":2001}}}",
	 "f:1:52: node.workers.embryonic: 2001 is above \"connections\", which is 2000"},
	/* More than one key. */
	{SERVICES("{\"protocol\":\"tcp\"}"),
	 "f:4:1: shared.services[0].listen: missing: expected at least one address:port"},
	{SERVICES("{\"listen\":\"192.0.2.80:80\"}"),
	 "f:4:1: shared.services[0].protocol: missing: expected one of tcp, udp"},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"192.0.2.80:0\"}"),
	 "f:4:28: shared.services[0].listen[0]: port 0 (any) needs persistence: expected a port "
	 "from 1 to 65535"},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"127.0.0.1:80\"}"),
	 "f:4:28: shared.services[0].listen[0]: 127.0.0.1 is a loopback address"},
	{SERVICES(WEB(",\"name\":\"a\"") ",\n" WEB(",\"name\":\"a\"")),
	 "f:5:28: shared.services[1].listen[0]: tcp:192.0.2.80:80 is a listener of service \"a\" "
	 "(tcp:192.0.2.80:80) already\n"
	 "f:5:51: shared.services[1].name: \"a\" is the name of another service already"},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\",\"192.0.2.80:80\"]}"),
	 "f:4:45: shared.services[0].listen[1]: 192.0.2.80:80 stands here twice: it is listen[0] "
	 "already"},
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"192.0.2.10:80\"}"),
	 "f:4:28: shared.services[0].listen[0]: 192.0.2.10 is this router's own address "
	 "(node.ports): expected one that can move to the peer"},
	{SERVICES(WEB(
		 ",\"servers\":[{\"address\":\"192.0.2.81:80\"}]") ",\n"
								   "{\"protocol\":\"udp\","
								   "\"listen\":\"192.0.2.81:53\"}"),
	 "f:4:66: shared.services[0].servers[0].address: 192.0.2.81 is a VIP: it cannot be a real "
	 "server by \"nat\" as well"},
	{SERVICES(
		 WEB(",\"servers\":[{\"address\":\"10.0.0.1:80\"},{\"address\":\"10.0.0.1:80\"}]")),
	 "f:4:92: shared.services[0].servers[1].address: 10.0.0.1:80 stands here twice: it is "
	 "servers[0] already"},
	/* Places are those of the file, also behind a range. */
	{SERVICES(WEB(
		 ",\"servers\":[{\"address\":\"10.0.0.1-9:80\"},{\"address\":\"10.0.0.5:80\"}]")),
	 "f:4:94: shared.services[0].servers[1].address: 10.0.0.5:80 stands here twice: it is "
	 "servers[0] already"},
	{SERVICES(WEB(",\"servers\":[{\"address\":\"10.0.0.9-1:80\"}]")),
	 "f:4:66: shared.services[0].servers[0].address: \"10.0.0.9-1:80\" is not address:port: "
	 "expected "
	 "address:port, as \"10.1.0.100:80\" or \"[2001:db8::1]:80\""},
	{SERVICES("{\"mark\":7,\"family\":\"ipv6\",\"persistence\":{\"timeout\":60,\"netmask\":"
		  "\"255.0.0.255\"}}"),
	 "f:4:65: shared.services[0].persistence.netmask: a netmask of IPv4: expected a prefix "
	 "length from 0 to 128"},
	/* Both mean port 80 once it is put right. */
	{SERVICES(WEB(",\"forward\":\"dr\",\"servers\":[{\"address\":\"10.0.0.1:80\"},{\"address\":"
		      "\"10.0.0.1:81\"}]")),
	 "f:4:107: shared.services[0].servers[1].address: 10.0.0.1:80 stands here twice: it is "
	 "servers[0] already"},
	{SERVICES(WEB(",\"forward\":\"dr\",\"servers\":[{\"address\":\"10.0.0.1\"}]")),
	 "f:4:81: shared.services[0].servers[0].address: 10.0.0.1 has no port: expected "
	 "address:port"},
	{SERVICES(SERVER(",\"upper\":5,\"lower\":6")),
	 "f:4:98: shared.services[0].servers[0].lower: 6 is above \"upper\", which is 5"},
	{ADDRESSES("{\"address\":\"10.0.0.254\",\"kind\":\"gateway\",\"link\":\"public\"}"),
	 "f:3:12: shared.addresses[0].address: a gateway needs the prefix length of its network: "
	 "expected \"10.0.0.254/LENGTH\""},
	{ADDRESSES("{\"address\":\"10.0.0.254/16\",\"kind\":\"gateway\"}"),
	 "f:3:1: shared.addresses[0].link: missing: a gateway is on a link"},
	{ADDRESSES("{\"address\":\"10.0.0.254/16\",\"kind\":\"gateway\",\"link\":\"privat\"}"),
	 "f:3:52: shared.addresses[0].link: \"privat\" is not a link: expected a port (public) or "
	 "port.VLAN"},
	{ADDRESSES("{\"address\":\"10.0.0.254/16\",\"kind\":\"gateway\",\"link\":\"public.4095\"}"),
	 "f:3:52: shared.addresses[0].link: \"public.4095\" is not a link: expected a port "
	 "(public) "
	 "or port.VLAN"},
	{ADDRESSES("{\"address\":\"192.0.2.80/24\"}"),
	 "f:3:12: shared.addresses[0].address: a VIP is one address: expected \"192.0.2.80\" "
	 "without "
	 "a prefix length"},
	{ADDRESSES("{\"address\":\"192.0.2.80\"},{\"address\":\"192.0.2.80\"}"),
	 "f:3:37: shared.addresses[1].address: 192.0.2.80 stands in shared.addresses already"},
	/* Pools of full NAT. */
	{ADDRESSES("{\"address\":\"10.0.0.200\",\"kind\":\"pool\"}"),
	 "f:3:1: shared.addresses[0].link: missing: a pool is on a link"},
	{ADDRESSES("{\"address\":\"10.0.0.200/24\",\"kind\":\"pool\",\"link\":\"public\"}"),
	 "f:3:12: shared.addresses[0].address: an entry of a pool is one address: expected "
	 "\"10.0.0.200\" without a prefix length"},
	{ADDRESSES("{\"address\":\"192.0.2.10\",\"kind\":\"pool\",\"link\":\"public\"}"),
	 "f:3:12: shared.addresses[0].address: 192.0.2.10 is this router's own address "
	 "(node.ports): expected one that can move to the peer"},
	{ADDRESSES("{\"address\":\"192.0.2.80\"},"
		   "{\"address\":\"192.0.2.80\",\"kind\":\"pool\",\"link\":\"public\"}"),
	 "f:3:37: shared.addresses[1].address: 192.0.2.80 stands in shared.addresses already\n"
	 "f:3:37: shared.addresses[1].address: 192.0.2.80 is a VIP: it cannot be in a pool as "
	 "well"},
	{ADDRESSES("{\"address\":\"10.0.0.200\",\"kind\":\"pool\",\"link\":\"public\"},"
		   "{\"address\":\"10.0.0.200\",\"kind\":\"pool\",\"link\":\"public.10\"}"),
	 "f:3:67: shared.addresses[1].address: 10.0.0.200 stands in shared.addresses already"},
	{ADDRESSES("{\"address\":\"2001:db8::c8\",\"kind\":\"pool\",\"link\":\"public\"},"
		   "{\"address\":\"2001:db8:0::c8\",\"kind\":\"pool\",\"link\":\"public\"}"),
	 "f:3:69: shared.addresses[1].address: 2001:db8::c8 stands in shared.addresses already"},
	{ADDRESSES("{\"address\":\"10.0.0.200/16\",\"kind\":\"gateway\",\"link\":\"public\"},"
		   "{\"address\":\"10.0.0.200\",\"kind\":\"pool\",\"link\":\"public\"}"),
	 "f:3:73: shared.addresses[1].address: 10.0.0.200 stands in shared.addresses already"},
	{ADDRESSES("{\"address\":\"2001:db8::10\",\"kind\":\"pool\",\"link\":\"public\"}"),
	 "f:3:12: shared.addresses[0].address: 2001:db8::10 is this router's own address "
	 "(node.ports): expected one that can move to the peer"},
	{ADDRESSES("{\"address\":\"2001:db8::80\"},"
		   "{\"address\":\"2001:db8::80\",\"kind\":\"pool\",\"link\":\"public\"}"),
	 "f:3:39: shared.addresses[1].address: 2001:db8::80 stands in shared.addresses already\n"
	 "f:3:39: shared.addresses[1].address: 2001:db8::80 is a VIP: it cannot be in a pool as "
	 "well"},
	{ADDRESSES("{\"address\":\"2001:db8::c8\",\"kind\":\"pool\",\"link\":\"public\"}],\n"
		   "\"services\":[{\"protocol\":\"tcp\",\"listen\":\"[2001:db8::c8]:80\"}"),
	 "f:4:40: shared.services[0].listen[0]: 2001:db8::c8 is in a pool (shared.addresses, "
	 "node.pool): it "
	 "cannot be a VIP as well"},
	{ADDRESSES("{\"address\":\"192.0.2.200\",\"kind\":\"pool\",\"link\":\"public\"}],\n"
		   "\"services\":[{\"protocol\":\"tcp\",\"listen\":\"192.0.2.200:80\"}"),
	 "f:4:40: shared.services[0].listen[0]: 192.0.2.200 is in a pool (shared.addresses, "
	 "node.pool): it "
	 "cannot be a VIP as well"},
	{ADDRESSES("{\"address\":\"192.0.2.200\",\"kind\":\"pool\",\"link\":\"public\"}],\n"
		   "\"services\":[{\"protocol\":\"tcp\",\"listen\":\"192.0.2.80:80\","
		   "\"servers\":[{\"address\":\"192.0.2.200:80\",\"forward\":\"fullnat\"}]}"),
	 "f:4:78: shared.services[0].servers[0].address: 192.0.2.200 is in a pool "
	 "(shared.addresses, node.pool): it cannot be a real server as well"},
	/* The client's address for servers. */
	{SERVICES(WEB(",\"client_address\":\"option\"")),
	 "f:4:61: shared.services[0].client_address: \"option\" is not a way to tell servers the "
	 "client's address: expected one of off, proxy-v1, proxy-v2, toa"},
	{SERVICES(WEB(",\"forward\":\"dr\",\"client_address\":\"proxy-v2\"")),
	 "f:4:76: shared.services[0].client_address: needs \"forward\": \"nat\" or \"fullnat\", "
	 "not \"dr\": replies have to pass the router"},
	{SERVICES(WEB(",\"forward\":\"tunnel\",\"client_address\":\"proxy-v1\"")),
	 "f:4:80: shared.services[0].client_address: needs \"forward\": \"nat\" or \"fullnat\", "
	 "not \"tunnel\": replies have to pass the router"},
	{SERVICES(WEB(",\"client_address\":\"proxy-v2\",\"ftp\":true")),
	 "f:4:61: shared.services[0].client_address: not with \"ftp\": an FTP control connection "
	 "is read from its first byte on"},
	{SERVICES(WEB(",\"client_address\":\"proxy-v2\",\"servers\":[{\"address\":\"10.0.0.1:80\","
		      "\"forward\":\"dr\"}]")),
	 "f:4:118: shared.services[0].servers[0].forward: expected \"nat\" or \"fullnat\": the "
	 "service has \"client_address\""},
	{SERVICES(WEB(",\"forward\":\"fullnat\",\"client_address\":\"proxy-v2\",\"servers\":[{"
		      "\"address\":\"[2001:db8::9]:80\"}]")),
	 "f:4:114: shared.services[0].servers[0].address: expected a server of the service's "
	 "address family: the service has \"client_address\""},
	{SERVICES("{\"protocol\":\"udp\",\"listen\":\"192.0.2.80:53\",\"client_address\":\"proxy-"
		  "v1\"}"),
	 "f:4:61: shared.services[0].client_address: \"proxy-v1\" needs \"protocol\": \"tcp\": of "
	 "the PROXY protocol only version 2, \"proxy-v2\", knows UDP"},
	{SERVICES("{\"protocol\":\"udp\",\"listen\":\"192.0.2.80:53\",\"client_address\":\"toa\"}"),
	 "f:4:61: shared.services[0].client_address: \"toa\" needs \"protocol\": \"tcp\": an "
	 "option "
	 "of TCP tells the address"},
	{SERVICES("{\"protocol\":\"udp\",\"listen\":\"192.0.2.80:53\",\"forward\":\"fullnat\","
		  "\"one_packet\":true,\"servers\":[{\"address\":\"10.0.0.1:53\"}]}"),
	 "f:4:93: shared.services[0].servers[0].forward: \"fullnat\" needs a connection, which "
	 "remembers the client: not with \"one_packet\""},
	{SERVICES(WEB(",\"forward\":\"fullnat\",\"ftp\":true,\"servers\":[{\"address\":"
		      "\"[2001:db8::9]:21\"}]")),
	 "f:4:97: shared.services[0].servers[0].address: expected a server of the service's "
	 "address family: the service has \"ftp\", whose PORT and 227 name addresses of one "
	 "family"},
	{SERVICES(WEB(",\"forward\":\"tunnel\",\"ftp\":true")),
	 "f:4:69: shared.services[0].ftp: needs \"forward\": \"nat\" or \"fullnat\": other methods "
	 "do not see the answers"},
	{ADDRESSES("{\"address\":\"10.0.0.0/8\",\"kind\":\"prefix\"}"),
	 "f:3:1: shared.addresses[0].link: missing: a prefix is on a link"},
	{ADDRESSES("{\"address\":\"10.1.2.3/16\",\"kind\":\"prefix\",\"link\":\"public\"}"),
	 "f:3:12: shared.addresses[0].address: an address inside a prefix: expected the prefix, "
	 "\"10.1.0.0/16\""},
	{ADDRESSES("{\"address\":\"10.1.2.3\",\"kind\":\"prefix\",\"link\":\"public\"}"),
	 "f:3:12: shared.addresses[0].address: a prefix needs its length: expected ADDRESS/8 to "
	 "ADDRESS/31"},
	{"{\"node\":{\"ports\":[{\"name\":\"a\",\"device\":\"d0\"},{\"name\":\"a\",\"device\":"
	 "\"d0\"}]}}",
	 "f:1:54: node.ports[1].name: \"a\" is that of node.ports[0] already\n"
	 "f:1:67: node.ports[1].device: \"d0\" is that of node.ports[0] already"},
	{"{\"node\":{\"ports\":[{\"name\":\"a.1\",\"device\":\"d0\"}]}}",
	 "f:1:27: node.ports[0].name: \"a.1\" is not a port's name: expected a letter, then "
	 "letters, "
	 "digits, '_' and '-', at most 15 characters"},
	{"{\"node\":{\"ports\":[{\"name\":\"a\",\"device\":\"d\",\"tap\":\"sixteen-letters!\"}]}}",
	 "f:1:50: node.ports[0].tap: \"sixteen-letters!\" is not an interface's name: expected a "
	 "name that Linux takes for an interface, at most 15 characters"},
	{"{\"node\":{\"ports\":[{\"name\":\"elevenchars\",\"device\":\"d\",\"linux\":{\"vlans\":[{"
	 "\"id\":"
	 "1000}]}}]}}",
	 "f:1:78: node.ports[0].linux.vlans[0].id: \"elevenchars.1000\" is too long for an "
	 "interface: "
	 "expected a \"tap\" of at most 10 characters"},
	{"{\"node\":{\"ports\":[{\"name\":\"a\",\"device\":\"d\",\"linux\":{\"vlans\":[{\"id\":1},{"
	 "\"id\":"
	 "1}]}}]}}",
	 "f:1:77: node.ports[0].linux.vlans[1].id: VLAN 1 stands here twice"},
	/* A fault in one place does not hide the others. */
	{SERVICES("{\"protocol\":\"tcp\",\"listen\":\"192.0.2.80\"},\n" WEB(
		 ",\"schedular\":1") ",\n" WEB("") ",\n" WEB("")),
	 "f:4:28: shared.services[0].listen: \"192.0.2.80\" is not address:port: expected "
	 "address:port, as \"10.1.0.100:80\" or \"[2001:db8::1]:80\"\n"
	 "f:5:44: shared.services[1].schedular: \"schedular\" is not a key of a virtual service "
	 "(did "
	 "you mean \"scheduler\"?)\n"
	 "f:7:28: shared.services[3].listen[0]: tcp:192.0.2.80:80 is a listener of service "
	 "tcp:192.0.2.80:80 already"},
};

static void all_errors(const struct config_errors *errors, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < errors->errors.n && at < len; i++) {
		char line[1024];

		at += (size_t)snprintf(
			buf + at, len - at, "%s%s", i ? "\n" : "",
			config_error_format(errors, &errors->errors.v[i], line, sizeof(line)));
	}
}

static void every_bad_document_gets_its_exact_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config *config = NULL;
		struct config_errors errors;
		char text[8192];

		config_errors_init(&errors);
		assert_int_equal(config_parse(bad[i].text, strlen(bad[i].text), "f", schedulers,
					      &config, &errors),
				 -EINVAL);
		assert_null(config);
		all_errors(&errors, text, sizeof(text));
		assert_string_equal(text, bad[i].error);
		for (uint32_t k = 0; k < errors.errors.n; k++) {
			json_t *json = config_error_json(&errors.errors.v[k]);

			assert_non_null(json);
			json_decref(json);
		}
		config_errors_fini(&errors);
	}
}

static int parse(const char *text, size_t len, struct config_errors *errors)
{
	struct config *config = NULL;
	int ret;

	config_errors_init(errors);
	ret = config_parse(text, len, NULL, schedulers, &config, errors);
	config_destroy(config);
	return ret;
}

static void a_nul_byte_is_named_where_it_stands(void **state)
{
	static const char text[] = "{}\n \0{}";
	struct config_errors errors;
	char line[256];

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &errors), -EINVAL);
	assert_string_equal(config_error_format(&errors, &errors.errors.v[0], line, sizeof(line)),
			    "line 2:2: a NUL byte: this is not a text");
	config_errors_fini(&errors);
}

static void nesting_and_errors_are_bounded(void **state)
{
	struct config_errors errors;
	char *text = malloc(1 << 20);
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	memset(text, '[', 100000);
	assert_int_equal(parse(text, 100000, &errors), -EINVAL);
	assert_int_equal(errors.errors.v[0].column, CONFIG_MAX_DEPTH + 1);
	config_errors_fini(&errors);

	n = (size_t)sprintf(text, "{\"shared\":{\"services\":[");
	for (int i = 0; i < 1000; i++)
		n += (size_t)sprintf(text + n, "%s\n{\"x\":%d}", i ? "," : "", i);
	n += (size_t)sprintf(text + n, "]}}");
	assert_int_equal(parse(text, n, &errors), -EINVAL);
	assert_int_equal(errors.errors.n, CONFIG_MAX_ERRORS);
	assert_int_equal(errors.errors.n_more, 1000 - CONFIG_MAX_ERRORS);
	assert_int_equal(errors.errors.v[99].line, 101);
	config_errors_fini(&errors);
	free(text);
}

static void too_many_of_something_name_the_limit(void **state)
{
	struct config_errors errors;
	char *text = malloc(1 << 20);
	size_t n;

	(void)state;
	assert_non_null(text);
	n = (size_t)sprintf(text, "{\"shared\":{\"services\":[{\"protocol\":\"tcp\",\"listen\":[");
	for (int i = 0; i <= MAX_LISTEN; i++)
		n += (size_t)sprintf(text + n, "%s\"192.0.2.1:%d\"", i ? "," : "", i + 1);
	n += (size_t)sprintf(text + n, "]}]}}");
	assert_int_equal(parse(text, n, &errors), -EINVAL);
	assert_string_equal(errors.errors.v[0].message,
			    "257 entries are more than the limit of 256 (MAX_LISTEN)");
	assert_string_equal(errors.errors.v[0].path, "shared.services[0].listen");
	config_errors_fini(&errors);
	free(text);
}

/* ---- files ---- */

static void what_is_no_readable_file_is_refused_without_waiting(void **state)
{
	char dir[] = "/tmp/plvs-config-XXXXXX", fifo[64];
	struct config *config = NULL;
	struct config_errors errors;
	const struct {
		const char *path, *message;
		int reason;
	} files[] = {
		{"/nonexistent/plvs.json", "cannot be opened: No such file or directory", -ENOENT},
		{dir, "is not a regular file", -EINVAL},
		{fifo, "is not a regular file", -EINVAL},
		{"/dev/zero", "is not a regular file", -EINVAL},
	};

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < 4; i++) {
		config_errors_init(&errors);
		assert_int_equal(config_load(files[i].path, schedulers, &config, &errors),
				 files[i].reason);
		assert_string_equal(errors.errors.v[0].message, files[i].message);
		config_errors_fini(&errors);
	}
	unlink(fifo);
	rmdir(dir);
}

static void a_file_that_changes_size_while_it_is_read_is_refused(void **state)
{
	char path[] = "/tmp/plvs-config-XXXXXX", error[ERROR_TEXT], *data = NULL;
	int fd = mkstemp(path);
	size_t len;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{ }\n", 4), 4);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(json_text_read_fd(fd, 5, &data, &len, error), -EIO);
	assert_string_equal(error, "shrank while it was read (5 bytes expected): try again");
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(json_text_read_fd(fd, 3, &data, &len, error), -EIO);
	assert_string_equal(error, "grew while it was read (3 bytes expected): try again");
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(json_text_read_fd(fd, 4, &data, &len, error), 0);
	assert_string_equal(data, "{ }\n");
	free(data);
	/* Larger than any configuration: not a byte of it is read. */
	assert_int_equal(ftruncate(fd, (off_t)CONFIG_MAX_BYTES + 1), 0);
	assert_int_equal(json_text_read(path, CONFIG_MAX_BYTES, &data, &len, error), -EFBIG);
	close(fd);
	unlink(path);
}

/* before, n times an item, after. */
static void list_is_refused(const char *before, const char *item, uint32_t n, const char *after,
			    const char *limit)
{
	const size_t each = strlen(item) + 24;
	char *text = malloc(strlen(before) + strlen(after) + n * each + 1);
	size_t at = (size_t)sprintf(text, "%s", before);
	struct config *config = NULL;
	struct config_errors errors;
	char got[8192];

	for (uint32_t i = 0; i < n; i++) {
		at += (size_t)sprintf(text + at, "%s", i ? "," : "");
		at += (size_t)sprintf(text + at, item, i >> 8 & 0xff, i & 0xff);
	}
	at += (size_t)sprintf(text + at, "%s", after);
	config_errors_init(&errors);
	assert_int_equal(config_parse(text, at, "f", schedulers, &config, &errors), -EINVAL);
	assert_null(config);
	all_errors(&errors, got, sizeof(got));
	assert_non_null(strstr(got, limit));
	config_errors_fini(&errors);
	free(text);
}

static void lists_beyond_their_limits_are_refused_with_the_limit_named(void **state)
{
	(void)state;
	list_is_refused("{\"shared\": {\"services\": [{\"mark\": 1, \"servers\": [",
			"{\"address\": \"10.1.%u.%u\"}", MAX_SERVERS_PER_SERVICE + 1, "]}]}}",
			"MAX_SERVERS_PER_SERVICE");
	list_is_refused("{\"shared\": {\"marks\": [",
			"{\"destination\": \"10.1.%u.%u\", \"mark\": 1}", MAX_MARK_RULES + 1, "]}}",
			"MAX_MARK_RULES");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bad_document_gets_its_exact_errors),
		cmocka_unit_test(a_nul_byte_is_named_where_it_stands),
		cmocka_unit_test(nesting_and_errors_are_bounded),
		cmocka_unit_test(lists_beyond_their_limits_are_refused_with_the_limit_named),
		cmocka_unit_test(too_many_of_something_name_the_limit),
		cmocka_unit_test(what_is_no_readable_file_is_refused_without_waiting),
		cmocka_unit_test(a_file_that_changes_size_while_it_is_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
