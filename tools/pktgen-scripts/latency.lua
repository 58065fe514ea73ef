-- SPDX-License-Identifier: BSD-3-Clause
-- Latency at 10, 50 and 90 % of the highest rate without loss, for each size of frames and number of
-- connections. FROM is the CSV of throughput.lua, whose rows say sizes, connections and rates; without it
-- the highest rate is RATE for all of SIZES and CONNECTIONS. Pktgen adds a frame with a time stamp to the
-- load each millisecond, and its sampler writes what each took to a file. One way, from the clients' port to
-- the servers' port, both of one Pktgen: one clock.
-- CSV: test, size, connections, per cent of the line, Mpps, samples, p50, p99 and p99.9 in microseconds.
local plvs = dofile((os.getenv("PLVS_PKTGEN") or "tools/pktgen-scripts") .. "/plvs.lua")
local row = plvs.rows(os.getenv("CSV"))
local both = plvs.client_port .. "," .. plvs.server_port
local samples_file = os.tmpname()
local SAMPLES, SAMPLES_A_SECOND = 50000, 1000 -- Pktgen has room for 50,068
local found = 0

-- { size, connections, highest rate }...
local function cases()
	local list = {}
	local from = os.getenv("FROM")
	if from and from ~= "" then
		for line in io.lines(from) do
			local size, number, rate = line:match("^(%d+),(%w+),([%d.]+),")
			if size and number ~= "new" then
				list[#list + 1] = { size, number, tonumber(rate) }
			end
		end
		return list
	end
	for number in (os.getenv("CONNECTIONS") or "1 100000"):gmatch("%d+") do
		for size in (os.getenv("SIZES") or "64 512 1518"):gmatch("%d+") do
			list[#list + 1] = { size, number, plvs.rate }
		end
	end
	return list
end

-- Nanoseconds that the sampler wrote, sorted.
local function samples_read()
	local v = {}
	local file = io.open(samples_file)
	for line in file and file:lines() or function() end do
		v[#v + 1] = tonumber(line) -- the first line is a title
	end
	if file then
		file:close()
	end
	os.remove(samples_file)
	table.sort(v)
	return v
end

local function quantile_us(v, share)
	return string.format("%.1f", v[math.floor(share * (#v - 1) + 1.5)] / 1000)
end

local function measure(share, size, connections, highest)
	local rate = highest * share / 100
	pktgen.latsampler_params(plvs.server_port, "simple", SAMPLES, SAMPLES_A_SECOND, samples_file)
	pktgen.latsampler(plvs.server_port, "on")
	local sent, received, lost = plvs.trial(plvs.client_port, rate, plvs.seconds)
	pktgen.latsampler(plvs.server_port, "off")
	local v = samples_read()
	if #v == 0 then
		plvs.warn(string.format("no frame with a time stamp came back at %g %%", rate))
		return
	end
	if lost > 0 then
		plvs.warn(string.format("%d of %d frames were lost at %g %%", lost, sent, rate))
	end
	found = found + 1
	row("latency-" .. share, size, connections, string.format("%.1f", rate),
		string.format("%.3f", received / plvs.seconds / 1e6), #v, quantile_us(v, 0.5),
		quantile_us(v, 0.99), quantile_us(v, 0.999))
end

row("test", "size", "connections", "rate_percent", "mpps", "samples", "p50_us", "p99_us", "p999_us")
for _, case in ipairs(cases()) do
	local connections = plvs.connections_set(case[2])
	plvs.size = tonumber(case[1])
	plvs.clients_to_vip(plvs.client_port)
	plvs.probe_to_vip(plvs.client_port)
	plvs.trial(plvs.client_port, 10, 3) -- the connections are made
	pktgen.latency(both, "enable")
	for _, share in ipairs({ 10, 50, 90 }) do
		measure(share, case[1], connections, case[3])
	end
	pktgen.latency(both, "disable")
end
row()
plvs.finish(found > 0 and 0 or 1)
