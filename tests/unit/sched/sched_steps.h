/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_SCHED_STEPS_H
#define PLVS_TESTS_SCHED_STEPS_H

/*
 * Included by force (cc -include) before every source of src/sched and src/model for
 * test_sched_steps: between any two accesses to what workers share, another worker may be
 * given the turn. The sources are those of the router, unchanged.
 */

void step_point(void);

#define __atomic_load_n(...)		 (step_point(), __atomic_load_n(__VA_ARGS__))
#define __atomic_store_n(...)		 (step_point(), __atomic_store_n(__VA_ARGS__))
#define __atomic_fetch_or(...)		 (step_point(), __atomic_fetch_or(__VA_ARGS__))
#define __atomic_fetch_and(...)		 (step_point(), __atomic_fetch_and(__VA_ARGS__))
#define __atomic_fetch_add(...)		 (step_point(), __atomic_fetch_add(__VA_ARGS__))
#define __atomic_fetch_sub(...)		 (step_point(), __atomic_fetch_sub(__VA_ARGS__))
#define __atomic_add_fetch(...)		 (step_point(), __atomic_add_fetch(__VA_ARGS__))
#define __atomic_sub_fetch(...)		 (step_point(), __atomic_sub_fetch(__VA_ARGS__))
#define __atomic_compare_exchange_n(...) (step_point(), __atomic_compare_exchange_n(__VA_ARGS__))

#endif
