/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dataplane/port_pulse.h"

#define MANY 100 /* pulses */

/* Adds delta at every pulse; the number of pulses until a verdict, or MANY. */
static unsigned int pulses(const struct port_sample *delta, bool polled, enum port_verdict *verdict)
{
	struct port_pulse p = {0};
	struct port_sample now = {.rx = 1000, .rx_lost = 50, .tx = 1000, .tx_full = 7};

	for (unsigned int i = 0; i < MANY; i++) {
		*verdict = port_pulse_judge(&p, &now, polled);
		if (*verdict != PULSE_FINE)
			return i;
		now.rx += delta->rx;
		now.rx_lost += delta->rx_lost;
		now.tx += delta->tx;
		now.tx_full += delta->tx_full;
		now.tx_refused += delta->tx_refused;
	}
	return MANY;
}

static void a_port_that_receives_nothing_while_its_device_drops_stalls(void **state)
{
	const struct port_sample drops = {.rx_lost = 1, .tx = 10};
	enum port_verdict verdict;

	(void)state;
	assert_in_range(pulses(&drops, true, &verdict), 1, 2000 / PULSE_MS);
	assert_int_equal(verdict, PULSE_RX_STALLS);
}

static void a_port_that_sends_nothing_while_its_queue_is_full_stalls(void **state)
{
	const struct port_sample full = {.rx = 10, .tx_full = 1};
	const struct port_sample refused = {.rx = 10, .tx = 10, .tx_refused = 9};
	enum port_verdict verdict;

	(void)state;
	assert_in_range(pulses(&full, true, &verdict), 1, 2000 / PULSE_MS);
	assert_int_equal(verdict, PULSE_TX_STALLS);
	assert_in_range(pulses(&refused, true, &verdict), 1, 2000 / PULSE_MS);
	assert_int_equal(verdict, PULSE_TX_STALLS);
}

static void a_busy_or_idle_port_does_not_stall(void **state)
{
	static const struct port_sample fine[] = {
		{.rx = 0},					     /* idle */
		{.rx = 1, .rx_lost = 1000, .tx = 1, .tx_full = 900}, /* overloaded */
		{.tx = 100, .tx_refused = 3},			     /* a few bad ones */
	};
	enum port_verdict verdict;

	(void)state;
	for (unsigned int i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_int_equal(pulses(&fine[i], true, &verdict), MANY);
}

static void a_worker_that_does_not_poll_is_no_fault_of_the_port(void **state)
{
	const struct port_sample drops = {.rx_lost = 100};
	enum port_verdict verdict;

	(void)state;
	assert_int_equal(pulses(&drops, false, &verdict), MANY);
}

static void one_full_queue_on_an_idle_port_is_no_stall(void **state)
{
	struct port_sample now = {.tx = 5};
	struct port_pulse p = {0};

	(void)state;
	assert_int_equal(port_pulse_judge(&p, &now, true), PULSE_FINE);
	now.tx_full = 32;
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(port_pulse_judge(&p, &now, true), PULSE_FINE);
}

static void drops_of_a_burst_before_a_quiet_time_are_no_stall(void **state)
{
	struct port_sample now = {0};
	struct port_pulse p = {0};

	(void)state;
	assert_int_equal(port_pulse_judge(&p, &now, true), PULSE_FINE);
	now.rx = 100000;
	now.rx_lost = 3000;
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(port_pulse_judge(&p, &now, true), PULSE_FINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_receives_nothing_while_its_device_drops_stalls),
		cmocka_unit_test(a_port_that_sends_nothing_while_its_queue_is_full_stalls),
		cmocka_unit_test(a_busy_or_idle_port_does_not_stall),
		cmocka_unit_test(a_worker_that_does_not_poll_is_no_fault_of_the_port),
		cmocka_unit_test(one_full_queue_on_an_idle_port_is_no_stall),
		cmocka_unit_test(drops_of_a_burst_before_a_quiet_time_are_no_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
