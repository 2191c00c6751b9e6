/* SPDX-License-Identifier: MIT */
/* The main() of a test program, which includes check.h. */
#ifndef RUN_H
#define RUN_H

/* Runs each test in a process of its own. */
#define RUN_TESTS(suite_name, ...) RUN_TESTS_BETWEEN(NULL, NULL, suite_name, __VA_ARGS__)

/* … with something before it and something after it. */
#define RUN_TESTS_BETWEEN(set_up, tear_down, suite_name, ...) \
	RUN_TESTS_BETWEEN_AS(main, set_up, tear_down, suite_name, __VA_ARGS__)

/* … in a function of another name. */
#define RUN_TESTS_BETWEEN_AS(function, set_up, tear_down, suite_name, ...) \
	int function(void) \
	{ \
		Suite *suite = suite_create(suite_name); \
		TCase *tcase = tcase_create(suite_name); \
		const TTest *const tests[] = { __VA_ARGS__ }; \
		tcase_set_timeout(tcase, 120); \
		tcase_add_checked_fixture(tcase, set_up, tear_down); \
		for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) { \
			tcase_add_test(tcase, tests[i]); \
		} \
		suite_add_tcase(suite, tcase); \
		SRunner *runner = srunner_create(suite); \
		srunner_run_all(runner, CK_ENV); \
		int failed = srunner_ntests_failed(runner); \
		srunner_free(runner); \
		return failed > 0; \
	} \
	struct end_of_tests

/* One test, which runs with _i from 0 to `end` - 1, each time in a process of its own. */
#define RUN_LOOP_TEST(suite_name, test, end) \
	int main(void) \
	{ \
		Suite *suite = suite_create(suite_name); \
		TCase *tcase = tcase_create(suite_name); \
		tcase_add_loop_test(tcase, test, 0, end); \
		suite_add_tcase(suite, tcase); \
		SRunner *runner = srunner_create(suite); \
		srunner_run_all(runner, CK_ENV); \
		int failed = srunner_ntests_failed(runner); \
		srunner_free(runner); \
		return failed > 0; \
	} \
	struct end_of_tests

#endif
