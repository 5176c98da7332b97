/*
 * demo-product.h -- the use of a planning-poker product, from START up to now, for the demonstration: into the read model,
 * as if it had been synchronised.
 */
#ifndef PH_DEMO_PRODUCT_H
#define PH_DEMO_PRODUCT_H

#include <stdint.h>

#include "core/error.h"

/* Does nothing where DB_HOST names a real source, or rows are there already. */
enum ph_rc	demo_product_insert(int64_t now_ms, struct ph_err *);

#endif
