/*
 * check_hash.c -- HMAC-SHA-256 against the test cases of RFC 4231, section 4.
 */
#include "autoconf.h"

#include <string.h>

#include "core/hash.h"
#include "unit.h"

static const struct { unsigned char fill; size_t key_len; const char *key, *data, *hmac; } vectors[] = {
	{ 0x0b, 20, NULL, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ 0, 4, "Jefe", "what do ya want for nothing?",
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	/* A key longer than a block. */
	{ 0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
};

START_TEST(rfc4231)
{
	const size_t		len = strlen(vectors[_i].data), half = len / 2;
	unsigned char		key[131];
	char			hmac[PH_HMAC_TEXT_SIZE];
	struct ph_hmac_part	parts[] = { { vectors[_i].data, half }, { vectors[_i].data + half, len - half } };

	memset(key, vectors[_i].fill, sizeof(key));
	if (vectors[_i].key != NULL)
		memcpy(key, vectors[_i].key, vectors[_i].key_len);
	ph_hmac_sha256(hmac, key, vectors[_i].key_len, parts, 2);
	ck_assert_str_eq(hmac, vectors[_i].hmac);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hash");
	TCase *tc = tcase_create("hash");

	tcase_add_loop_test(tc, rfc4231, 0, sizeof(vectors) / sizeof(vectors[0]));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
