-- SPDX-License-Identifier: BSD-3-Clause
-- From STEP per cent of the line up to RATE, clients to the VIP: how much is lost at each
-- rate, and the highest one at which no more than LOSS per cent is.
local plvs = dofile((os.getenv("PLVS_PKTGEN") or "tools/pktgen-scripts") .. "/plvs.lua")
local step = tonumber(os.getenv("STEP") or "10")
local allowed = tonumber(os.getenv("LOSS") or "0.001")
local best, best_mpps, sent_any

plvs.clients_to_vip(plvs.client_port)
plvs.trial(plvs.client_port, 10, 3)
plvs.head()
for rate = step, plvs.rate, step do
	local sent, received, lost = plvs.trial(plvs.client_port, rate, plvs.seconds)
	plvs.report(rate, plvs.seconds, sent, received, lost)
	sent_any = sent_any or sent > 0
	if sent > 0 and lost * 100 / sent <= allowed then
		best = rate
		best_mpps = received / plvs.seconds / 1e6
	end
end
if best then
	print(string.format("highest rate with at most %g %% lost: %g %% (%.3f Mpps)", allowed, best,
		best_mpps))
elseif sent_any then
	print(string.format("no rate with at most %g %% lost", allowed))
else
	print("no result: nothing was sent at any rate")
end
plvs.finish(best and 0 or 1)
