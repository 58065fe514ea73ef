-- SPDX-License-Identifier: BSD-3-Clause
-- Throughput as in RFC 2544: the highest rate without loss, by binary search, for each size of
-- frames and each number of connections. Connections are UDP, by direct routing. "new" in place
-- of a number makes each packet the first of a connection: the rate of new connections.
-- CSV: size, connections, per cent of the line, Mpps, Gbit/s.
local plvs = dofile((os.getenv("PLVS_PKTGEN") or "tools/pktgen-scripts") .. "/plvs.lua")
local sizes = os.getenv("SIZES") or "64 128 256 512 1024 1280 1518"
local numbers = os.getenv("CONNECTIONS") or "1 1000 100000 1000000"
local resolution = tonumber(os.getenv("RESOLUTION") or "1") -- per cent of the line
local allowed = tonumber(os.getenv("LOSS") or "0")         -- per cent of the frames
local row = plvs.rows(os.getenv("CSV"))
local found = 0

-- No loss at this rate? The frames a second that arrived.
local function passes(rate)
	local sent, received, lost = plvs.trial(plvs.client_port, rate, plvs.seconds)
	return sent > 0 and lost * 100 / sent <= allowed, received / plvs.seconds
end

local function search()
	local low, high, best = 0, plvs.rate, nil
	local good, pps = passes(high)
	if good then
		return high, pps
	end
	while high - low > resolution do
		local middle = (low + high) / 2
		good, pps = passes(middle)
		if good then
			low, best = middle, pps
		else
			high = middle
		end
	end
	return low, best
end

row("size", "connections", "rate_percent", "mpps", "gbit_per_s")
for number in numbers:gmatch("%S+") do
	local connections = plvs.connections_set(number)
	for size in sizes:gmatch("%d+") do
		plvs.size = tonumber(size)
		plvs.clients_to_vip(plvs.client_port)
		if number ~= "new" then
			plvs.trial(plvs.client_port, 10, 3) -- the connections are made
		end
		local rate, pps = search()
		if pps then
			found = found + 1
			-- On the wire a frame has a preamble and a gap: 20 bytes.
			row(size, connections, string.format("%.1f", rate),
				string.format("%.3f", pps / 1e6),
				string.format("%.3f", pps * (plvs.size + 20) * 8 / 1e9))
		else
			plvs.warn("no rate without loss at " .. size .. " bytes, " .. connections ..
				" connections")
		end
	end
end
row()
plvs.finish(found > 0 and 0 or 1)
