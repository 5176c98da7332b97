/*
 * rooms.c -- GET /analytics/rooms
 *
 * lib/domain/product-rooms.c reads the figures.
 */
#include "autoconf.h"

#include "domain/product.h"

static enum ph_rc
rooms_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_product_get(req, &ph_table_product_rooms, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "analytics-rooms", .path = PH_PRODUCT_PATH "rooms", .needs = PH_NEED_DB_READ | PH_NEED_MODEL,
		.ops[PH_GET] = {
			.scope = PH_PRODUCT_SCOPE, .summary = "Rooms and their votes",
			.params = ph_table_product_rooms.params, .nparams = ph_table_product_rooms.nparams,
			.fields = ph_table_product_rooms.fields, .nfields = ph_table_product_rooms.nfields,
			.handle = rooms_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
