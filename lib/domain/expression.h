/*
 * expression.h -- arithmetic over the metric catalogue, for alert rules and the widgets of boards.
 *
 *	expression = term { ("+" | "-") term }
 *	term       = factor { ("*" | "/") factor }
 *	factor     = number | metric | "-" factor | "(" expression ")" | function
 *	function   = ("min" | "max" | "coalesce") "(" expression "," expression { "," expression } ")"
 *	           | "ratio" "(" expression "," expression ")" | "abs" "(" expression ")"
 *
 * A number is decimal, without exponent.  ratio(a, b) is a / b.  Null in, null out, except in
 * coalesce, which gives its first operand that is not null.  Division by 0 and whatever is
 * not finite give null.  Nothing of it ever reaches the database as text.
 */
#ifndef PH_EXPRESSION_H
#define PH_EXPRESSION_H

#include "core/error.h"

enum {
	PH_EXPRESSION_MAX = 200,	/* characters */
	PH_EXPRESSION_DEPTH_MAX = 16	/* parentheses, functions and signs inside each other */
};

struct ph_expression;		/* parsed; metric names are resolved */

/* Caller frees.  NULL: err has PH_EBADREQUEST with a sentence that names the position (from 1), or
 * PH_ENOMEM. */
struct ph_expression	*ph_expression_parse(const char *text, struct ph_err *err);
/* The same over other names than the catalogue's: find gives the index of a value, or -1. */
typedef int		 ph_expression_find(const char *name, size_t len);
struct ph_expression	*ph_expression_parse_names(const char *text, ph_expression_find *, struct ph_err *err);
void			 ph_expression_free(struct ph_expression *);	/* NULL is fine */

/* Set the flags of the metrics it reads (ph_metrics_read()). */
void	ph_expression_wants(const struct ph_expression *, unsigned char *wanted);

/* Its value for these values of all metrics; NAN is null, in both. */
double	ph_expression_value(const struct ph_expression *, const double *values);

#endif
