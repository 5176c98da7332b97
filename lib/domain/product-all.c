/*
 * product-all.c -- the tables of /analytics/, all of which are also files.
 */
#include "autoconf.h"

#include "domain/product.h"

const struct ph_product_table *const ph_product_tables[] = {
	&ph_table_breakdown, &ph_table_cohorts, &ph_table_compare, &ph_table_historical, &ph_table_reoccurring,
	&ph_table_product_rooms, NULL
};
