#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: BSD-3-Clause
-- tools/pktgen-scripts on a stand-in for Pktgen's Lua module, with the interface of 23.03 (as
-- tried with the program itself) and with that of 26.01 and later. Prints its cases as cmocka
-- does. Usage: test_pktgen_scripts.lua SCRIPTS-FOLDER
local folder = assert(arg[1], "usage: test_pktgen_scripts.lua SCRIPTS-FOLDER")
local real_exit, real_print, real_getenv = os.exit, print, os.getenv

-- Two ports and the router between them, on a clock that only delay() moves.
-- bed: { modern, line (frames a second at 100 %), capacity (of the router), arp (a second, to
-- each port), broken (nothing is sent), stranger (frames a second to the servers' port), stamps
-- (nanoseconds that frames with a time stamp take, in turn) }
local function stand_in(bed)
	local ports = {}
	for id = 0, 1 do
		ports[id] = { opackets = 0, ipackets = 0, arp = 0, rate = 100, sends = false }
	end
	local function each(list, f)
		assert(type(list) == "string", "a list of ports is a string")
		for id in list:gmatch("%d+") do
			f(assert(ports[tonumber(id)], "no such port: " .. id))
		end
	end
	local function table_of(list, f)
		local t, n = {}, 0
		for id in list:gmatch("%d+") do
			t[tonumber(id)] = f(ports[tonumber(id)])
			n = n + 1
		end
		t.n = n
		return t
	end
	local function frames(p)
		return { opackets = p.opackets, ipackets = p.ipackets, ibytes = 0, obytes = 0 }
	end
	local m = { range = {} }
	for _, name in ipairs({ "ip_proto" }) do
		m.range[name] = function(list, value)
			each(list, function() end)
			assert(value == "udp")
		end
	end
	for _, name in ipairs({ "dst_mac", "src_ip", "dst_ip", "src_port", "dst_port", "pkt_size" }) do
		m.range[name] = function(list, what, value)
			each(list, function() end)
			assert(({ start = 1, min = 1, max = 1, inc = 1 })[what], what)
			assert(value ~= nil)
		end
	end
	function m.set(list, what, value)
		assert(({ count = 1, rate = 1, size = 1, sport = 1, dport = 1 })[what], what)
		assert(type(value) == "number")
		each(list, function(p) p[what] = value end)
	end
	function m.set_type(list, value) each(list, function() assert(value == "ipv4") end) end
	function m.set_proto(list, value) each(list, function() assert(value == "udp") end) end
	function m.set_mac(list, what, value)
		each(list, function(p) p.to_router = what == "dst" and value == "02:00:00:00:00:01" end)
	end
	function m.set_ipaddr(list, what, value)
		assert(({ src = "^%d+%.%d+%.%d+%.%d+/32$", dst = "^%d+%.%d+%.%d+%.%d+$" })[what])
		assert(value:find(what == "src" and "/32$" or "^198.51.100.100$"), value)
		each(list, function(p) p[what] = value end)
	end
	function m.latency(list, value) each(list, function(p) p.latency = value == "enable" end) end
	function m.latsampler_params(list, kind, n, rate, file)
		assert(kind == "simple" and n <= 50068 and rate > 0)
		each(list, function(p) p.most, p.file = n, file end)
	end
	function m.latsampler(list, value)
		each(list, function(p)
			if value == "on" then
				p.samples = {}
				return
			end
			local file = assert(io.open(p.file, "w"))
			file:write("Latency\n", table.concat(p.samples, "\n"), #p.samples > 0 and "\n" or "")
			file:close()
			p.samples = nil
		end)
	end
	function m.set_range(list, value) each(list, function(p) p.range = value == "on" end) end
	function m.start(list) each(list, function(p) assert(p.range) p.sends = true end) end
	function m.stop(list) each(list, function(p) p.sends = false end) end
	function m.delay(ms)
		for id = 0, 1 do
			local p, other = ports[id], ports[1 - id]
			local sent = p.sends and not bed.broken and
				math.floor(bed.line * p.rate / 100 * ms / 1000) or 0
			p.opackets = p.opackets + sent
			other.ipackets = other.ipackets +
				math.min(sent, math.floor(bed.capacity * ms / 1000))
			for i = 1, sent > 0 and p.to_router and p.src and p.dst and p.latency and other.samples and
				bed.stamps and ms or 0 do -- one each millisecond
				table.insert(other.samples, bed.stamps[(i - 1) % #bed.stamps + 1])
			end
			p.arp = p.arp + math.floor((bed.arp or 0) * ms / 1000)
			p.ipackets = p.ipackets + math.floor((bed.arp or 0) * ms / 1000)
		end
		ports[1].ipackets = ports[1].ipackets + math.floor((bed.stranger or 0) * ms / 1000)
	end
	if bed.modern then
		function m.portStats(...)
			assert(select("#", ...) == 1, "portStats, wrong number of arguments")
			return table_of((...), function(p)
				return { curr = frames(p), sizes = { broadcast = p.arp }, qstats = {} }
			end)
		end
	else
		function m.portStats(...)
			assert(select("#", ...) == 2, "portStats, wrong number of arguments")
			assert(({ port = 1, rate = 1 })[select(2, ...)])
			return table_of((...), frames)
		end
		function m.pktStats(...)
			assert(select("#", ...) == 1, "pktStats, wrong number of arguments")
			return table_of((...), function(p) return { arp_pkts = p.arp } end)
		end
	end
	function m.quit() m.has_quit = true end
	return m
end

-- Runs a script to its os.exit(). What it printed, and its status.
local function run(script, bed, env)
	local lines, status = {}
	env = env or {}
	env.PLVS_PKTGEN = folder
	pktgen = stand_in(bed)
	print = function(text) lines[#lines + 1] = text end
	os.getenv = function(name) return env[name] end
	os.exit = function(code) status = code error("the script has ended", 0) end
	local ok, why = pcall(dofile, folder .. "/" .. script .. ".lua")
	os.exit, os.getenv, print = real_exit, real_getenv, real_print
	assert(not ok and why == "the script has ended", why)
	assert(pktgen.has_quit, "Pktgen would wait for a keyboard")
	return table.concat(lines, "\n"), status
end

local function holds(text, pattern)
	assert(text:find(pattern), "expected " .. pattern .. " in:\n" .. text)
end

local function lacks(text, pattern)
	assert(not text:find(pattern), "did not expect " .. pattern .. " in:\n" .. text)
end

local cases = {}
for _, modern in ipairs({ false, true }) do
	local with = modern and "_26_01" or "_23_03"
	local bed = function(more)
		local b = { modern = modern, line = 1000000, capacity = 450000 }
		for k, v in pairs(more or {}) do b[k] = v end
		return b
	end
	cases[#cases + 1] = { "a_sweep_finds_the_highest_rate_without_loss" .. with, function()
		local text, status = run("rate-sweep", bed())
		holds(text, "highest rate with at most 0.001 %% lost: 40 %% %(0.400 Mpps%)")
		holds(text, "50%.0 +5000000 +4500000 +500000 +10%.0000 ")
		lacks(text, "WARNING")
		assert(status == 0)
	end }
	cases[#cases + 1] = { "a_sweep_in_which_nothing_is_sent_has_no_result" .. with, function()
		local text, status = run("rate-sweep", bed({ broken = true, arp = 50 }))
		holds(text, "WARNING: nothing was sent at 10 %%")
		holds(text, "no result: nothing was sent at any rate")
		lacks(text, "highest rate")
		assert(status == 1)
	end }
	cases[#cases + 1] = { "a_sweep_that_always_loses_says_so" .. with, function()
		local text, status = run("rate-sweep", bed({ capacity = 1000 }))
		holds(text, "no rate with at most 0.001 %% lost")
		lacks(text, "highest rate")
		assert(status == 1)
	end }
	cases[#cases + 1] = { "the_routers_arp_is_no_answer" .. with, function()
		local text = run("rate-sweep", bed({ arp = 57 }))
		holds(text, "10%.0 +1000000 +1000000 +0 +0%.0000 ")
		holds(text, "50%.0 +5000000 +4500000 +500000 ")
		lacks(text, "lost +%-")
		lacks(text, "WARNING")
	end }
	cases[#cases + 1] = { "frames_of_strangers_are_told_and_make_no_negative_loss" .. with, function()
		local text = run("dr-range", bed({ stranger = 100, capacity = 2000000 }))
		holds(text, "WARNING: 1100 frames more were received than sent at 100 %%")
		holds(text, "100%.0 +10000000 +10001100 +0 ")
	end }
	cases[#cases + 1] = { "throughput_is_searched_for_each_size_and_number" .. with, function()
		local text, status = run("throughput", bed(),
			{ SIZES = "64 1518", CONNECTIONS = "1 1000000 new", SECONDS = "2" })
		-- 45 % of the line, found within 1 %: 64 and 1,518 bytes take the same here.
		for _, connections in ipairs({ "1", "999991", "new" }) do
			holds(text, "64," .. connections .. ",44%.5,0%.445,0%.299")
			holds(text, "1518," .. connections .. ",44%.5,0%.445,5%.479")
		end
		lacks(text, "WARNING")
		assert(status == 0)
	end }
	cases[#cases + 1] = { "throughput_without_loss_may_be_the_whole_line" .. with, function()
		local text = run("throughput", bed({ capacity = 2000000 }), { SIZES = "64", CONNECTIONS = "1" })
		holds(text, "64,1,100%.0,1%.000,0%.672")
	end }
	cases[#cases + 1] = { "throughput_without_a_result_fails" .. with, function()
		local text, status = run("throughput", bed({ capacity = 0 }), { SIZES = "64" })
		holds(text, "WARNING: no rate without loss at 64 bytes")
		assert(status == 1)
	end }
	cases[#cases + 1] = { "latency_is_sampled_at_three_loads" .. with, function()
		local stamps = {}
		for i = 1, 1000 do stamps[i] = i * 100 end
		local text, status = run("latency", bed({ stamps = stamps }),
			{ SIZES = "64", CONNECTIONS = "1000", RATE = "40", SECONDS = "2" })
		holds(text, "test,size,connections,rate_percent,mpps,samples,p50_us,p99_us,p999_us")
		holds(text, "latency%-10,64,997,4%.0,0%.040,2000,50%.1,99%.0,99%.9")
		holds(text, "latency%-50,64,997,20%.0,0%.200,2000,50%.1,99%.0,99%.9")
		holds(text, "latency%-90,64,997,36%.0,0%.360,2000,50%.1,99%.0,99%.9")
		lacks(text, "WARNING")
		assert(status == 0)
	end }
	cases[#cases + 1] = { "latency_goes_by_the_rates_that_were_found" .. with, function()
		local name = os.tmpname()
		local file = assert(io.open(name, "w"))
		file:write("size,connections,rate_percent,mpps,gbit_per_s\n64,1,40.0,0.400,0.1\n",
			"512,new,9.0,0.1,0.1\n1518,999991,60.0,0.450,5.5\n")
		file:close()
		local text = run("latency", bed({ stamps = { 5000 } }), { FROM = name, SECONDS = "1" })
		os.remove(name)
		holds(text, "latency%-90,64,1,36%.0,0%.360,1000,5%.0,5%.0,5%.0")
		holds(text, "latency%-50,1518,999991,30%.0,")
		holds(text, "WARNING: 90000 of 540000 frames were lost at 54 %%")
		lacks(text, ",new,")
	end }
	cases[#cases + 1] = { "latency_without_a_stamp_that_comes_back_fails" .. with, function()
		local text, status = run("latency", bed(), { SIZES = "64", CONNECTIONS = "1", RATE = "40" })
		holds(text, "WARNING: no frame with a time stamp came back at 4 %%")
		assert(status == 1)
	end }
	cases[#cases + 1] = { "nat_counts_both_directions" .. with, function()
		local text, status = run("nat-range", bed({ capacity = 2000000 }), { SECONDS = "2" })
		holds(text, "100%.0 +4000000 +4000000 +0 +0%.0000 +2%.000")
		assert(status == 0)
	end }
end

real_print(string.format("[==========] Running %d test(s).", #cases))
local failed = 0
for _, case in ipairs(cases) do
	real_print("[ RUN      ] " .. case[1])
	local ok, why = pcall(case[2])
	if not ok then
		failed = failed + 1
		real_print(why)
	end
	real_print((ok and "[       OK ] " or "[  FAILED  ] ") .. case[1])
end
real_exit(failed == 0 and 0 or 1)
