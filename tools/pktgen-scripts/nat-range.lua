-- SPDX-License-Identifier: BSD-3-Clause
-- NAT, both directions at once: clients to the VIP and, once the connections are made,
-- replies of the only real server to the same clients. A reply to a connection that does
-- not exist is not forwarded and shows as lost.
local plvs = dofile((os.getenv("PLVS_PKTGEN") or "tools/pktgen-scripts") .. "/plvs.lua")
local both = plvs.client_port .. "," .. plvs.server_port

plvs.clients_to_vip(plvs.client_port)
plvs.trial(plvs.client_port, 10, 3)
plvs.server_to_clients(plvs.server_port)
plvs.head()
plvs.report(plvs.rate, plvs.seconds, plvs.trial(both, plvs.rate, plvs.seconds))
plvs.finish()
