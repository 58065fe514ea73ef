-- SPDX-License-Identifier: BSD-3-Clause
-- What the scripts of this folder share. Settings come from the environment, so that one
-- script serves every laboratory; README.md lists them.

local plvs = {}

local function setting(name, default)
	local value = os.getenv(name)
	if value == nil or value == "" then
		return default
	end
	return value
end

plvs.client_port = setting("CLIENT_PORT", "0")   -- pktgen port on the clients' side
plvs.server_port = setting("SERVER_PORT", "1")   -- pktgen port on the servers' side
plvs.router_mac = setting("ROUTER_MAC", "02:00:00:00:00:01")
plvs.vip = setting("VIP", "198.51.100.100")
plvs.vport = tonumber(setting("VIP_PORT", "80"))
plvs.server = setting("SERVER", "192.168.10.11") -- the one real server, for replies
plvs.dport = tonumber(setting("SERVER_UDP_PORT", "8080"))
plvs.size = tonumber(setting("SIZE", "64"))      -- bytes of a frame with FCS
plvs.rate = tonumber(setting("RATE", "100"))     -- per cent of the line
plvs.seconds = tonumber(setting("SECONDS", "10"))
plvs.first_client = setting("FIRST_CLIENT", "10.64.0.1")
plvs.last_client = setting("LAST_CLIENT", "10.64.3.232") -- 1000 addresses
plvs.first_port = 10000
-- The ranges of a packet step together, so the number of connections is the least common
-- multiple of their lengths: with 997, a prime, that is their product.
plvs.last_port = plvs.first_port + tonumber(setting("CLIENT_PORTS", "997")) - 1

local function span(set, port, first, last, step)
	set(port, "start", first)
	set(port, "min", first)
	set(port, "max", last)
	set(port, "inc", step)
end

local function common(port)
	pktgen.set(port, "count", 0)
	pktgen.set(port, "rate", plvs.rate)
	pktgen.set(port, "size", plvs.size)
	pktgen.set_type(port, "ipv4")
	pktgen.set_proto(port, "udp")
	pktgen.range.ip_proto(port, "udp")
	pktgen.range.dst_mac(port, "start", plvs.router_mac)
	span(pktgen.range.pkt_size, port, plvs.size, plvs.size, 0)
end

-- "10.64.0.1" and 255: "10.64.1.0".
function plvs.address_plus(address, n)
	local value = 0
	for byte in address:gmatch("%d+") do
		value = value * 256 + tonumber(byte)
	end
	value = value + n
	return string.format("%d.%d.%d.%d", value >> 24 & 255, value >> 16 & 255, value >> 8 & 255,
		value & 255)
end

-- Clients to the VIP, for direct routing and for the `in` half of NAT.
function plvs.clients_to_vip(port)
	common(port)
	span(pktgen.range.src_ip, port, plvs.first_client, plvs.last_client, "0.0.0.1")
	span(pktgen.range.dst_ip, port, plvs.vip, plvs.vip, "0.0.0.0")
	span(pktgen.range.src_port, port, plvs.first_port, plvs.last_port, 1)
	span(pktgen.range.dst_port, port, plvs.vport, plvs.vport, 0)
	pktgen.set_range(port, "on")
end

-- Replies of a NAT service's only real server to the same clients.
function plvs.server_to_clients(port)
	common(port)
	span(pktgen.range.src_ip, port, plvs.server, plvs.server, "0.0.0.0")
	span(pktgen.range.dst_ip, port, plvs.first_client, plvs.last_client, "0.0.0.1")
	span(pktgen.range.src_port, port, plvs.dport, plvs.dport, 0)
	span(pktgen.range.dst_port, port, plvs.first_port, plvs.last_port, 1)
	pktgen.set_range(port, "on")
end

-- What a port counted: frames sent and received, and how many of the received were ARP, which
-- the router sends by itself. Pktgen up to 25.08 takes a kind of statistics as a second
-- argument and counts ARP. From 26.01 on portStats takes the port alone, and nothing counts ARP:
-- the NIC's count of broadcast frames stands for ARP, where the NIC has such a count.
local with_kind
local function port_stats(port)
	if with_kind == nil then
		with_kind = not pcall(pktgen.portStats, port)
	end
	if with_kind then
		return pktgen.portStats(port, "port")[tonumber(port)]
	end
	return pktgen.portStats(port)[tonumber(port)]
end

local function counts(port)
	local stats = port_stats(port)
	local frames, arp = stats.curr or stats, 0
	if pktgen.pktStats then
		arp = pktgen.pktStats(port)[tonumber(port)].arp_pkts
	elseif stats.sizes then
		arp = stats.sizes.broadcast
	end
	return { sent = frames.opackets, received = frames.ipackets - arp }
end

local function totals()
	local c, s = counts(plvs.client_port), counts(plvs.server_port)
	return { sent = c.sent + s.sent, received = c.received + s.received }
end

-- The ranges of addresses and ports step together: with lengths that have no common divisor, the
-- number of connections is their product. 997 and 64,993 are primes. Returns the number.
function plvs.connections_set(number)
	local ports, addresses = 997, 1
	if number == "new" then
		ports, addresses = 50021, 64993
	elseif tonumber(number) < 997 then
		ports = tonumber(number)
	else
		addresses = math.max(1, math.floor(tonumber(number) / 997 + 0.5))
		if addresses % 997 == 0 then
			addresses = addresses + 1
		end
	end
	plvs.last_port = plvs.first_port + ports - 1
	plvs.last_client = plvs.address_plus(plvs.first_client, addresses - 1)
	return number == "new" and "new" or tostring(ports * addresses)
end

-- The frames that Pktgen adds for latency are made of the settings of single packets.
function plvs.probe_to_vip(port)
	pktgen.set_mac(port, "dst", plvs.router_mac)
	pktgen.set_ipaddr(port, "src", plvs.first_client .. "/32")
	pktgen.set_ipaddr(port, "dst", plvs.vip)
	pktgen.set(port, "sport", plvs.first_port)
	pktgen.set(port, "dport", plvs.vport)
end

-- A function that prints a row of CSV, and writes it to the file `name` unless that is nil; without
-- arguments it closes the file.
function plvs.rows(name)
	local csv = name and assert(io.open(name, "w"))
	return function(...)
		if select("#", ...) == 0 then
			return csv and csv:close()
		end
		local text = table.concat({ ... }, ",")
		print(text)
		if csv then
			csv:write(text, "\n")
		end
	end
end

-- Sends from `ports` ("0", "0,1") at a rate for a time. What was sent, came back, was lost.
function plvs.trial(ports, rate, seconds)
	local before, after
	pktgen.set(ports, "rate", rate)
	before = totals()
	pktgen.start(ports)
	pktgen.delay(seconds * 1000)
	pktgen.stop(ports)
	pktgen.delay(1000) -- what is under way
	after = totals()
	local sent = after.sent - before.sent
	local received = after.received - before.received
	if sent == 0 then
		plvs.warn(string.format("nothing was sent at %g %%: is the link of port %s up, and " ..
			"has Pktgen enough memory (-m 3072)?", rate, ports))
	elseif received > sent then
		plvs.warn(string.format("%d frames more were received than sent at %g %%: somebody " ..
			"else sends to these ports, and losses may hide behind that",
			received - sent, rate))
	end
	return sent, received, math.max(sent - received, 0)
end

function plvs.warn(text)
	print("WARNING: " .. text)
end

function plvs.head()
	print(string.format("%6s %14s %14s %14s %10s %10s", "rate%", "sent", "received", "lost",
		"lost %", "Mpps"))
end

function plvs.report(rate, seconds, sent, received, lost)
	print(string.format("%6.1f %14d %14d %14d %10s %10.3f", rate, sent, received, lost,
		sent > 0 and string.format("%.4f", lost * 100 / sent) or "-",
		received / seconds / 1e6))
end

-- Ends pktgen, which would wait for a keyboard. status: 0, or 1 without a result.
function plvs.finish(status)
	pktgen.quit()
	os.exit(status or 0)
end

return plvs
