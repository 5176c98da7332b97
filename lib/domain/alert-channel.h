/*
 * alert-channel.h -- where alerts are sent: webhooks, mail addresses, and the live stream.
 *
 * Every function runs inside the caller's transaction.
 */
#ifndef PH_ALERT_CHANNEL_H
#define PH_ALERT_CHANNEL_H

#include "core/endpoint.h"
#include "domain/alert.h"

enum {
	PH_CHANNELS_MAX = 20,
	PH_CHANNEL_TARGET_MAX = 2000,
	PH_CHANNEL_SECRET_MIN = 8, PH_CHANNEL_SECRET_MAX = 256
};

enum ph_channel_kind { PH_CHANNEL_WEBHOOK, PH_CHANNEL_EMAIL, PH_CHANNEL_STREAM };
extern const char *const ph_channel_kinds[];

struct ph_alert_channel {
	char			id[PH_ALERT_ID_SIZE];
	char			name[PH_ALERT_NAME_MAX + 1];
	enum ph_channel_kind	kind;
	char			target[PH_CHANNEL_TARGET_MAX + 1];
	char			secret[PH_CHANNEL_SECRET_MAX + 1];	/* "": none; never shown */
	int			is_enabled, is_default;
	char			created_by[65];
	int64_t			version, created_at, updated_at;
};

/* -- as parameters of a request ------------------------------------------------------------------- */

enum {
	PH_CHANNEL_NAME, PH_CHANNEL_TARGET, PH_CHANNEL_SECRET, PH_CHANNEL_ENABLED, PH_CHANNEL_IS_DEFAULT,
	PH_CHANNEL_KIND, PH_CHANNEL_NEW_PARAMS = PH_CHANNEL_KIND + 1,
	PH_CHANNEL_ID = PH_CHANNEL_KIND, PH_CHANNEL_CHANGE_PARAMS = PH_CHANNEL_ID + 1
};
extern const struct ph_param	ph_channel_new_params[PH_CHANNEL_NEW_PARAMS];
extern const struct ph_param	ph_channel_change_params[PH_CHANNEL_CHANGE_PARAMS];	/* the kind stays */

/* Take what the request gives, but not the kind, and check the whole: PH_EPARAM. */
enum ph_rc	ph_channel_take(struct ph_alert_channel *, const struct ph_req *, struct ph_err *);

/* -- as records ------------------------------------------------------------------------------------- */

enum ph_rc	ph_channel_read(struct ph_db *, const char *id, struct ph_alert_channel *, struct ph_err *);
enum ph_rc	ph_channel_insert(struct ph_db *, const struct ph_alert_channel *, struct ph_err *);
/* As the next version. */
enum ph_rc	ph_channel_update(struct ph_db *, struct ph_alert_channel *, struct ph_err *);

/* -- as JSON ------------------------------------------------------------------------------------------- */

enum { PH_CHANNEL_NFIELDS = 11 };
extern const struct ph_field	ph_channel_fields[PH_CHANNEL_NFIELDS];
void		ph_channel_write(const struct ph_alert_channel *, struct ph_json *);

#endif
