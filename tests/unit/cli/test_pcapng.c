/* SPDX-License-Identifier: BSD-3-Clause */
/* Capture files as libpcap reads them, and filters as the router takes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bpf_text.h"
#include "cli/pcapng.h"

static void libpcap_reads_what_is_written(void **state)
{
	char error[PCAP_ERRBUF_SIZE], *text = NULL;
	uint8_t frame[61];
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct pcapng_packet packet = {.port = "public",
				       .comment = "in, port public, worker 0",
				       .at_us = 1764000000123456ULL,
				       .bytes = frame,
				       .caplen = 60,
				       .len = 1514,
				       .direction = 1};
	struct pcap_pkthdr *head;
	const u_char *bytes;
	struct pcapng p;
	pcap_t *pcap;

	(void)state;
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	assert_int_equal(pcapng_begin(&p, f, 9220, "test"), 0);
	assert_int_equal(pcapng_packet(&p, &packet), 0);
	packet.port = "private"; /* an interface of its own */
	packet.caplen = packet.len = 61;
	packet.direction = 2;
	assert_int_equal(pcapng_packet(&p, &packet), 0);
	assert_int_equal(p.n_ports, 2);
	fclose(f);
	assert_int_equal(p.bytes, len);
	assert_non_null(memmem(text, len, "in, port public, worker 0", 25));
	f = fmemopen(text, len, "r");
	pcap = pcap_fopen_offline(f, error);
	if (!pcap)
		fail_msg("%s", error);
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	assert_int_equal(pcap_next_ex(pcap, &head, &bytes), 1);
	assert_int_equal(head->len, 1514);
	assert_int_equal(head->caplen, 60);
	assert_int_equal(head->ts.tv_sec, 1764000000);
	assert_int_equal(head->ts.tv_usec, 123456);
	assert_memory_equal(bytes, frame, 60);
	assert_int_equal(pcap_next_ex(pcap, &head, &bytes), 1);
	assert_int_equal(head->caplen, 61);
	assert_memory_equal(bytes, frame, 61);
	assert_int_equal(pcap_next_ex(pcap, &head, &bytes), PCAP_ERROR_BREAK);
	pcap_close(pcap);
	free(text);
}

static void a_file_that_takes_no_more_is_an_error(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	struct pcapng p;

	(void)state;
	setvbuf(f, NULL, _IONBF, 0);
	assert_int_equal(pcapng_begin(&p, f, 100, "test"), -ENOSPC);
	fclose(f);
}

static void a_filter_becomes_a_program_or_a_sentence(void **state)
{
	char error[256] = "", *text = bpf_text("tcp port 80", error, sizeof(error));

	(void)state;
	assert_non_null(text);
	assert_true(atoi(text) > 5);
	assert_non_null(strchr(text, '\n'));
	free(text);
	assert_null(bpf_text("tcp prot 80", error, sizeof(error)));
	assert_true(strlen(error) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libpcap_reads_what_is_written),
		cmocka_unit_test(a_file_that_takes_no_more_is_an_error),
		cmocka_unit_test(a_filter_becomes_a_program_or_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
