/*
 * expression.c -- recursive descent into a list of steps for a stack.
 */
#include "autoconf.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/expression.h"
#include "domain/metric.h"

enum { STEPS_MAX = PH_EXPRESSION_MAX };	/* no step takes less than one character */

enum op { NUMBER, METRIC, ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE, ABS, MIN, MAX, COALESCE };

struct step {
	enum op	op;
	int	n;		/* METRIC: its index; MIN, MAX, COALESCE: operands */
	double	number;
};

struct ph_expression {
	size_t		nsteps;
	struct step	steps[STEPS_MAX];
};

struct parser {
	const char		*text, *p;
	int			 depth;
	ph_expression_find	*find;
	struct ph_expression	*out;
	struct ph_err		*err;
};

static int expression(struct parser *);

/* -1, with what is wrong at the present position. */
static int
refuse(struct parser *ps, const char *what)
{
	ph_fail(ps->err, PH_EBADREQUEST, "expression, character %d: %s", (int)(ps->p - ps->text) + 1, what);
	return -1;
}

static void
emit(struct parser *ps, enum op op, int n, double number)
{
	assert(ps->out->nsteps < STEPS_MAX);
	ps->out->steps[ps->out->nsteps++] = (struct step){ .op = op, .n = n, .number = number };
}

static void
skip_spaces(struct parser *ps)
{
	ps->p += strspn(ps->p, " ");
}

/* Is the next character c?  Then it is taken. */
static int
take(struct parser *ps, char c)
{
	skip_spaces(ps);
	if (*ps->p != c)
		return 0;
	ps->p++;
	return 1;
}

static int
number(struct parser *ps)
{
	const size_t	whole = strspn(ps->p, "0123456789");
	size_t		len = whole, fraction;
	double		value = 0, scale = 1;
	size_t		i;

	if (ps->p[len] == '.') {
		if ((fraction = strspn(ps->p + len + 1, "0123456789")) == 0) {
			ps->p += len + 1;
			return refuse(ps, "digits are needed after the point");
		}
		len += 1 + fraction;
	}
	/* By hand: strtod() knows exponents, hexadecimal and the locale. */
	for (i = 0; i < len; i++) {
		if (ps->p[i] == '.')
			continue;
		value = value * 10 + (ps->p[i] - '0');
		if (i > whole)
			scale *= 10;
	}
	ps->p += len;
	emit(ps, NUMBER, 0, value / scale);
	return 0;
}

/* The operands of a function; their number, or -1. */
static int
operands(struct parser *ps)
{
	int n = 0;

	do {
		if (expression(ps) != 0)
			return -1;
		n++;
	} while (take(ps, ','));
	return take(ps, ')') ? n : refuse(ps, "a comma or ) is needed");
}

static int
name(struct parser *ps)
{
	static const struct { const char *name; enum op op; int min, max; } functions[] = {
		{ "min", MIN, 2, PH_EXPRESSION_MAX }, { "max", MAX, 2, PH_EXPRESSION_MAX },
		{ "coalesce", COALESCE, 2, PH_EXPRESSION_MAX }, { "ratio", DIVIDE, 2, 2 }, { "abs", ABS, 1, 1 },
	};
	const char	*start = ps->p;
	const size_t	 len = strspn(start, "abcdefghijklmnopqrstuvwxyz0123456789_.");
	size_t		 i;
	int		 n;

	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strlen(functions[i].name) == len && strncmp(functions[i].name, start, len) == 0)
			break;
	if (i < sizeof(functions) / sizeof(functions[0])) {
		ps->p += len;
		if (!take(ps, '('))
			return refuse(ps, "( is needed after a function");
		if ((n = operands(ps)) < 0)
			return -1;
		if (n < functions[i].min || n > functions[i].max) {
			ps->p = start;
			return refuse(ps, "wrong number of operands");
		}
		emit(ps, functions[i].op, n, 0);
		return 0;
	}
	if ((n = ps->find(start, len)) < 0)
		return refuse(ps, "there is no metric or function of this name");
	ps->p += len;
	emit(ps, METRIC, n, 0);
	return 0;
}

static int
factor(struct parser *ps)
{
	int rc;

	skip_spaces(ps);
	if (++ps->depth > PH_EXPRESSION_DEPTH_MAX)
		return refuse(ps, "nested too deeply");
	if (take(ps, '-')) {
		if ((rc = factor(ps)) == 0)
			emit(ps, NEGATE, 1, 0);
	} else if (take(ps, '(')) {
		if ((rc = expression(ps)) == 0 && !take(ps, ')'))
			rc = refuse(ps, ") is needed");
	} else if (*ps->p >= '0' && *ps->p <= '9')
		rc = number(ps);
	else if (*ps->p >= 'a' && *ps->p <= 'z')
		rc = name(ps);
	else
		rc = refuse(ps, *ps->p == '\0' ? "it ends too early" : "a number, a metric, a function or ( is needed");
	ps->depth--;
	return rc;
}

static int
term(struct parser *ps)
{
	int is_product;

	if (factor(ps) != 0)
		return -1;
	while ((is_product = take(ps, '*')) || take(ps, '/')) {
		if (factor(ps) != 0)
			return -1;
		emit(ps, is_product ? MULTIPLY : DIVIDE, 2, 0);
	}
	return 0;
}

static int
expression(struct parser *ps)
{
	int is_sum;

	if (term(ps) != 0)
		return -1;
	while ((is_sum = take(ps, '+')) || take(ps, '-')) {
		if (term(ps) != 0)
			return -1;
		emit(ps, is_sum ? ADD : SUBTRACT, 2, 0);
	}
	return 0;
}

struct ph_expression *
ph_expression_parse_names(const char *text, ph_expression_find *find, struct ph_err *err)
{
	struct parser ps = { .text = text, .p = text, .find = find, .err = err };

	if (strlen(text) > PH_EXPRESSION_MAX) {
		ph_fail(err, PH_EBADREQUEST, "an expression may have %d characters", PH_EXPRESSION_MAX);
		return NULL;
	}
	if ((ps.out = calloc(1, sizeof(*ps.out))) == NULL) {
		ph_fail(err, PH_ENOMEM, "not enough memory for an expression");
		return NULL;
	}
	if (expression(&ps) == 0) {
		skip_spaces(&ps);
		if (*ps.p == '\0')
			return ps.out;
		refuse(&ps, "an operator is needed");
	}
	free(ps.out);
	return NULL;
}

struct ph_expression *
ph_expression_parse(const char *text, struct ph_err *err)
{
	return ph_expression_parse_names(text, ph_metric_find, err);
}

void
ph_expression_free(struct ph_expression *e)
{
	free(e);
}

void
ph_expression_wants(const struct ph_expression *e, unsigned char *wanted)
{
	size_t i;

	for (i = 0; i < e->nsteps; i++)
		if (e->steps[i].op == METRIC)
			wanted[e->steps[i].n] = 1;
}

static double
finite_or_null(double v)
{
	return isfinite(v) ? v : NAN;
}

/* Of n operands: the least, the greatest, or the first that is not null. */
static double
choose(enum op op, const double *v, int n)
{
	double	best = v[0];
	int	i;

	for (i = 1; i < n; i++) {
		if (op == COALESCE ? !isnan(best) : isnan(best))
			break;
		if (op == COALESCE || isnan(v[i]) || (op == MIN ? v[i] < best : v[i] > best))
			best = v[i];
	}
	return best;
}

double
ph_expression_value(const struct ph_expression *e, const double *values)
{
	double	stack[STEPS_MAX];
	size_t	i, n = 0;

	for (i = 0; i < e->nsteps; i++) {
		const struct step *s = &e->steps[i];

		switch (s->op) {
		case NUMBER:
			stack[n++] = s->number;
			break;
		case METRIC:
			stack[n++] = finite_or_null(values[s->n]);
			break;
		case NEGATE:
			stack[n - 1] = -stack[n - 1];
			break;
		case ABS:
			stack[n - 1] = fabs(stack[n - 1]);
			break;
		case ADD:
			n--;
			stack[n - 1] = finite_or_null(stack[n - 1] + stack[n]);
			break;
		case SUBTRACT:
			n--;
			stack[n - 1] = finite_or_null(stack[n - 1] - stack[n]);
			break;
		case MULTIPLY:
			n--;
			stack[n - 1] = finite_or_null(stack[n - 1] * stack[n]);
			break;
		case DIVIDE:
			n--;
			stack[n - 1] = finite_or_null(stack[n - 1] / stack[n]);
			break;
		case MIN:
		case MAX:
		case COALESCE:
			n -= (size_t)s->n;
			stack[n] = choose(s->op, &stack[n], s->n);
			n++;
			break;
		}
	}
	assert(n == 1);
	return stack[0];
}
