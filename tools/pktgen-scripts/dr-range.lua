-- SPDX-License-Identifier: BSD-3-Clause
-- Direct routing: clients of a range of addresses and ports send to a UDP service; what
-- plvs forwards arrives at the servers' port. The first seconds make the connections.
local plvs = dofile((os.getenv("PLVS_PKTGEN") or "tools/pktgen-scripts") .. "/plvs.lua")

plvs.clients_to_vip(plvs.client_port)
plvs.trial(plvs.client_port, 10, 3)
plvs.head()
plvs.report(plvs.rate, plvs.seconds, plvs.trial(plvs.client_port, plvs.rate, plvs.seconds))
plvs.finish()
