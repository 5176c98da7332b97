/*
 * unit.h -- run one libcheck suite and report it as TAP.
 */
#ifndef PH_UNIT_H
#define PH_UNIT_H

#include <check.h>
#include <stdlib.h>

static inline int
run_suite(Suite *suite)
{
	SRunner	*runner = srunner_create(suite);
	int	 failed;

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
