/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/tcp_state.h"

/*
 * Columns are the present state: NO ES SS SR FW TW CL CW LA LI SA. Rows are the event.
 *
 *	client            plvs               server         (NAT: both halves are seen)
 *	  SYN ----------> SYN_RECV ----------> SYN
 *	                  (SYN+ACK leaves it)
 *	  ACK ----------> ESTABLISHED
 *	  FIN ----------> CLOSE_WAIT                        client closes first
 *	                  TIME_WAIT  <---------- FIN
 *	                  FIN_WAIT   <---------- FIN        server closes first
 *	  FIN ----------> TIME_WAIT
 *	  RST ----------> CLOSE      <---------- RST        (a client's RST leaves SYN_RECV)
 *
 * With INPUT_ONLY a client's FIN gives FIN_WAIT: the server's half is never seen.
 */

#define NO CONN_NONE
#define ES CONN_ESTABLISHED
#define SS CONN_SYN_SENT
#define SR CONN_SYN_RECV
#define FW CONN_FIN_WAIT
#define TW CONN_TIME_WAIT
#define CL CONN_CLOSE
#define CW CONN_CLOSE_WAIT
#define LA CONN_LAST_ACK
#define LI CONN_LISTEN
#define SA CONN_SYNACK

enum tcp_event { EVENT_NONE, EVENT_SYN, EVENT_FIN, EVENT_ACK, EVENT_RST, EVENT_MAX };

#define TCP_STATES (CONN_SYNACK + 1)

static const uint8_t table[TCP_TABLE_MAX][EVENT_MAX][TCP_STATES] =
	{
		[TCP_TABLE_INPUT] =
			{
				[EVENT_NONE] = {NO, ES, SS, SR, FW, TW, CL, CW, LA, LI, SA},
				[EVENT_SYN] = {SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR},
				[EVENT_FIN] = {CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW},
				[EVENT_ACK] = {ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES},
				[EVENT_RST] = {CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR},
			},
		[TCP_TABLE_OUTPUT] =
			{
				[EVENT_NONE] = {NO, ES, SS, SR, FW, TW, CL, CW, LA, LI, SA},
				[EVENT_SYN] = {SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR},
				[EVENT_FIN] = {TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW},
				[EVENT_ACK] = {ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES},
				[EVENT_RST] = {CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL},
			},
		[TCP_TABLE_INPUT_ONLY] =
			{
				[EVENT_NONE] = {NO, ES, SS, SR, FW, TW, CL, CW, LA, LI, SA},
				[EVENT_SYN] = {SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR},
				[EVENT_FIN] = {CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW},
				[EVENT_ACK] = {ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES},
				[EVENT_RST] = {CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL},
			},
};

/* The event of a segment by its flags: the first of RST, SYN, FIN, ACK. */
#define EVENT_FLAGS (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)
#define EVENTS_OR(other)                                                                           \
	other, EVENT_FIN, EVENT_SYN, EVENT_SYN, EVENT_RST, EVENT_RST, EVENT_RST, EVENT_RST
static const uint8_t event_of[EVENT_FLAGS + 1] = {
	[0] = EVENTS_OR(EVENT_NONE), [TCP_ACK] = EVENTS_OR(EVENT_ACK)};

enum conn_state tcp_state_next(enum tcp_table t, enum conn_state state, uint8_t flags)
{
	return table[t][event_of[flags & EVENT_FLAGS]][state];
}

bool tcp_flags_nonsense(uint8_t flags)
{
	flags &= TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;
	if (flags == 0 || flags == TCP_FIN)
		return true;
	if ((flags & TCP_SYN) && (flags & (TCP_FIN | TCP_RST)))
		return true;
	return (flags & TCP_RST) && (flags & TCP_FIN);
}
