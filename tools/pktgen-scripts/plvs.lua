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

local function totals()
	local c = pktgen.portStats(plvs.client_port, "port")[tonumber(plvs.client_port)]
	local s = pktgen.portStats(plvs.server_port, "port")[tonumber(plvs.server_port)]
	return { sent = c.opackets + s.opackets, received = c.ipackets + s.ipackets }
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
	return sent, received, sent - received
end

function plvs.head()
	print(string.format("%6s %14s %14s %14s %10s %10s", "rate%", "sent", "received", "lost",
		"lost %", "Mpps"))
end

function plvs.report(rate, seconds, sent, received, lost)
	print(string.format("%6.1f %14d %14d %14d %10.4f %10.3f", rate, sent, received, lost,
		sent > 0 and lost * 100 / sent or 0, received / seconds / 1e6))
end

-- Ends pktgen, which would wait for a keyboard.
function plvs.finish()
	pktgen.quit()
	os.exit(0)
end

return plvs
