/*
 * check_expression.c -- arithmetic over the catalogue.
 */
#include "autoconf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/expression.h"
#include "domain/metric.h"
#include "unit.h"

/* Computed by hand, for pending 2, success 3, failed 1, processing 0, and a null average. */
static const struct { const char *text; double value; } values[] = {
	{ "1", 1 }, { "0.25", 0.25 }, { "10.", NAN }, { "2+3*4", 14 }, { "(2+3)*4", 20 }, { "10-3-2", 5 },
	{ "16/4/2", 2 }, { "-3+5", 2 }, { "--3", 3 }, { "2*-3", -6 }, { " 1 + 1 ", 2 },
	{ "queue.pending", 2 }, { "100*ratio(queue.failed, queue.success+queue.failed)", 25 },
	{ "min(3, queue.pending, 7)", 2 }, { "max(3,queue.pending)", 3 }, { "abs(1-queue.success)", 2 },
	{ "coalesce(queue.avg_processing_time_ms, 7)", 7 }, { "coalesce(1, queue.pending)", 1 },
	{ "1/0", NAN }, { "0/0", NAN }, { "ratio(1, queue.processing)", NAN },
	{ "queue.avg_processing_time_ms", NAN }, { "queue.avg_processing_time_ms*0", NAN },
	{ "min(1, queue.avg_processing_time_ms)", NAN }, { "max(queue.avg_processing_time_ms, 1)", NAN },
	{ "coalesce(1/0, queue.avg_processing_time_ms)", NAN }, { "coalesce(1/0, 2, 3)", 2 },
	{ "((((((((((((((1))))))))))))))", 1 },
};

START_TEST(value)
{
	struct ph_err		 err = { .rc = PH_OK };
	double			*all = calloc(ph_metric_count(), sizeof(*all)), v;
	struct ph_expression	*e = ph_expression_parse(values[_i].text, &err);

	if (strcmp(values[_i].text, "10.") == 0) {
		ck_assert_ptr_null(e);
		free(all);
		return;
	}
	ck_assert_msg(e != NULL, "%s", err.detail);
	all[ph_metric_find("queue.pending", 13)] = 2;
	all[ph_metric_find("queue.success", 13)] = 3;
	all[ph_metric_find("queue.failed", 12)] = 1;
	all[ph_metric_find("queue.avg_processing_time_ms", 28)] = NAN;
	v = ph_expression_value(e, all);
	if (isnan(values[_i].value))
		ck_assert(isnan(v));
	else
		ck_assert_double_eq_tol(v, values[_i].value, 1e-12);
	ph_expression_free(e);
	free(all);
}
END_TEST

/* at: the character that the sentence names. */
static const struct { const char *text; int at; } broken[] = {
	{ "", 1 }, { "1+", 3 }, { "1 2", 3 }, { "(1", 3 }, { "1)", 2 }, { "nonsense", 1 }, { "queue.", 1 }, { "1+queue", 3 },
	{ "min(1)", 1 }, { "abs(1,2)", 1 }, { "ratio(1)", 1 }, { "ratio(1,2,3)", 1 }, { "min 1", 5 }, { "min(1,)", 7 },
	{ "1e5", 2 }, { "0x10", 2 }, { ".5", 1 }, { "1..2", 3 }, { "1;DROP TABLE jobs", 2 }, { "'a'", 1 }, { "1==1", 2 },
	{ "Queue.pending", 1 }, { "+1", 1 }, { "(((((((((((((((((1)))))))))))))))))", 17 },
};

START_TEST(refused)
{
	struct ph_err	err = { .rc = PH_OK };
	char		at[32];

	ck_assert_ptr_null(ph_expression_parse(broken[_i].text, &err));
	ck_assert_int_eq(err.rc, PH_EBADREQUEST);
	snprintf(at, sizeof(at), "character %d:", broken[_i].at);
	ck_assert_msg(strstr(err.detail, at) != NULL, "%s: %s", broken[_i].text, err.detail);
}
END_TEST

START_TEST(too_long)
{
	struct ph_err	 err = { .rc = PH_OK };
	char		 text[PH_EXPRESSION_MAX + 2];

	memset(text, '1', sizeof(text));
	text[PH_EXPRESSION_MAX] = '\0';
	ph_expression_free(ph_expression_parse(text, &err));
	ck_assert_int_eq(err.rc, PH_OK);
	text[PH_EXPRESSION_MAX] = '1';
	text[PH_EXPRESSION_MAX + 1] = '\0';
	ck_assert_ptr_null(ph_expression_parse(text, &err));
}
END_TEST

START_TEST(wants_what_it_reads)
{
	struct ph_err		 err = { .rc = PH_OK };
	unsigned char		*wanted = calloc(ph_metric_count(), 1);
	struct ph_expression	*e = ph_expression_parse("queue.pending + min(1, queue.failed)", &err);
	size_t			 i, n = 0;

	ph_expression_wants(e, wanted);
	for (i = 0; i < ph_metric_count(); i++)
		n += wanted[i];
	ck_assert_uint_eq(n, 2);
	ck_assert(wanted[ph_metric_find("queue.pending", 13)] && wanted[ph_metric_find("queue.failed", 12)]);
	ph_expression_free(e);
	free(wanted);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("expression");
	TCase	*tc = tcase_create("expression");

	tcase_add_loop_test(tc, value, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_loop_test(tc, refused, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, wants_what_it_reads);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
