/*
 * stat-campaigns.c -- campaigns by status, and their money.
 *
 * Money is summed in whole cents and divided once.
 */
#include "autoconf.h"

#include "domain/filtered.h"
#include "domain/statistic.h"

enum { CENTS = 100 };

enum {
	F_DRAFT, F_ACTIVE, F_PAUSED, F_COMPLETED, F_TOTAL_BUDGET_SPENT,
	F_TOTAL, F_ARCHIVED, F_PUBLISHED, F_SCHEDULED, F_TOTAL_BUDGET, F_BUDGET_UTILISATION, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_DRAFT] = { .name = "draft", .text = "Campaigns in status draft." },
	[F_ACTIVE] = { .name = "active", .text = "Campaigns in status active." },
	[F_PAUSED] = { .name = "paused", .text = "Campaigns in status paused." },
	[F_COMPLETED] = { .name = "completed", .text = "Campaigns in status completed." },
	[F_TOTAL_BUDGET_SPENT] = { .name = "total_budget_spent", .type = PH_DECIMAL, .places = 2,
	    .unit = "units of the currency", .text = "Sum of budget_spent_cents over all campaigns / 100." },
	[F_TOTAL] = { .name = "total", .is_extended = 1, .text = "Campaigns in any status." },
	[F_ARCHIVED] = { .name = "archived", .is_extended = 1, .text = "The same as completed." },
	[F_PUBLISHED] = { .name = "published", .is_extended = 1,
	    .text = "Active or paused campaigns whose clip has a success log; with a filter, one that "
		"it selects." },
	[F_SCHEDULED] = { .name = "scheduled", .is_extended = 1,
	    .text = "Active or paused campaigns whose clip has no success log, but one in status "
		"scheduled, pending, retry or processing; with a filter, among those that it selects." },
	[F_TOTAL_BUDGET] = { .name = "total_budget", .type = PH_DECIMAL, .places = 2,
	    .is_extended = 1, .unit = "units of the currency",
	    .text = "Sum of budget_cents over all campaigns / 100." },
	[F_BUDGET_UTILISATION] = { .name = "budget_utilisation", .type = PH_DECIMAL, .places = 4,
	    .is_extended = 1, .unit = "ratio",
	    .text = "total_budget_spent / total_budget, 0.0 if that is 0." },
};

static enum ph_rc
campaigns_write(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	struct ph_db			*db = q->db;
	struct ph_campaign_totals	 t;
	struct ph_value			 v[F__MAX] = { 0 };
	int64_t				 published, scheduled;
	enum ph_rc			 rc;

	if ((rc = ph_filtered_campaigns(db, q->filter, &t, err)) != PH_OK)
		return rc;
	v[F_DRAFT] = ph_v_int(t.n[PH_CAMPAIGN_DRAFT]);
	v[F_ACTIVE] = ph_v_int(t.n[PH_CAMPAIGN_ACTIVE]);
	v[F_PAUSED] = ph_v_int(t.n[PH_CAMPAIGN_PAUSED]);
	v[F_COMPLETED] = ph_v_int(t.n[PH_CAMPAIGN_COMPLETED]);
	v[F_TOTAL_BUDGET_SPENT] = ph_v_ratio(t.spent_cents, CENTS);
	if (ph_json_is_extended(out)) {
		if ((rc = ph_filtered_live_campaigns(db, q->filter, &published, &scheduled, err)) != PH_OK)
			return rc;
		v[F_TOTAL] = ph_v_int(t.n[PH_CAMPAIGN_DRAFT] + t.n[PH_CAMPAIGN_ACTIVE] +
		    t.n[PH_CAMPAIGN_PAUSED] + t.n[PH_CAMPAIGN_COMPLETED]);
		v[F_ARCHIVED] = v[F_COMPLETED];
		v[F_PUBLISHED] = ph_v_int(published);
		v[F_SCHEDULED] = ph_v_int(scheduled);
		v[F_TOTAL_BUDGET] = ph_v_ratio(t.budget_cents, CENTS);
		v[F_BUDGET_UTILISATION] = ph_v_ratio(t.spent_cents, t.budget_cents > 0 ? t.budget_cents : 0);
	}
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

const struct ph_statistic ph_stat_campaigns = {
	.name = "campaigns",
	.description = "A filter selects campaigns by created_at, and with platforms those whose clip has a log "
	    "there, whenever that was requested.",
	.fields = fields, .nfields = F__MAX, .write = campaigns_write,
};
