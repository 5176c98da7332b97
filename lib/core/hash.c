/*
 * hash.c -- libsodium under our names.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/hash.h"

void
ph_sha256(unsigned char out[PH_SHA256_SIZE], const void *data, size_t len)
{
	crypto_hash_sha256(out, data, len);
}

void
ph_hmac_sha256(char out[PH_HMAC_TEXT_SIZE], const void *key, size_t key_len, const struct ph_hmac_part *part,
    size_t nparts)
{
	crypto_auth_hmacsha256_state	state;
	unsigned char			hash[crypto_auth_hmacsha256_BYTES];
	size_t				i;

	crypto_auth_hmacsha256_init(&state, key, key_len);
	for (i = 0; i < nparts; i++)
		crypto_auth_hmacsha256_update(&state, part[i].data, part[i].len);
	crypto_auth_hmacsha256_final(&state, hash);
	sodium_bin2hex(out, PH_HMAC_TEXT_SIZE, hash, sizeof(hash));
	sodium_memzero(&state, sizeof(state));
}

void
ph_etag(char out[PH_ETAG_SIZE], const void *data, size_t len)
{
	/* SipHash-2-4 with 128 bits; the key is no secret, tags are only compared. */
	static const unsigned char	key[crypto_shorthash_siphashx24_KEYBYTES] = "pilothouse etag";
	unsigned char			hash[crypto_shorthash_siphashx24_BYTES];

	crypto_shorthash_siphashx24(hash, data, len, key);
	out[0] = '"';
	sodium_bin2hex(out + 1, 2 * sizeof(hash) + 1, hash, sizeof(hash));
	memcpy(out + 1 + 2 * sizeof(hash), "\"", 2);
}

char *
ph_base64(char *out, size_t size, const void *data, size_t len)
{
	return sodium_bin2base64(out, size, data, len, sodium_base64_VARIANT_ORIGINAL);
}

void
ph_random_text(char out[PH_RANDOM_TEXT_SIZE])
{
	unsigned char raw[32];

	randombytes_buf(raw, sizeof(raw));
	sodium_bin2base64(out, PH_RANDOM_TEXT_SIZE, raw, sizeof(raw),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(raw, sizeof(raw));
}

void
ph_random_hex(char *out, size_t len)
{
	unsigned char	raw[32];
	char		hex[65];

	assert(len < sizeof(hex));
	randombytes_buf(raw, sizeof(raw));
	sodium_bin2hex(hex, sizeof(hex), raw, sizeof(raw));
	memcpy(out, hex, len);
	out[len] = '\0';
}

/* 32 hexadecimal digits as a UUID of that version. */
static void
format_uuid(char out[37], char hex[33], char version)
{
	hex[12] = version;
	hex[16] = "89ab"[(hex[16] <= '9' ? hex[16] - '0' : hex[16] - 'a') & 3];
	memcpy(out, hex, 8);
	memcpy(out + 9, hex + 8, 4);
	memcpy(out + 14, hex + 12, 4);
	memcpy(out + 19, hex + 16, 4);
	memcpy(out + 24, hex + 20, 12);
	out[8] = out[13] = out[18] = out[23] = '-';
	out[36] = '\0';
}

void
ph_uuid(char out[37])
{
	char hex[33];

	ph_random_hex(hex, 32);
	format_uuid(out, hex, '4');
}

void
ph_uuid_at(char out[37], int64_t ms)
{
	char hex[33], time[17];

	ph_random_hex(hex, 32);
	snprintf(time, sizeof(time), "%012" PRIx64, (uint64_t)ms & UINT64_C(0xffffffffffff));
	memcpy(hex, time, 12);
	format_uuid(out, hex, '7');
}

int
ph_password_hash(char out[PH_PASSWORD_HASH_SIZE], const char *password)
{
	_Static_assert(crypto_pwhash_STRBYTES <= PH_PASSWORD_HASH_SIZE, "room for a hash");

	return crypto_pwhash_str(out, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
	    crypto_pwhash_MEMLIMIT_INTERACTIVE);
}

int
ph_password_is(const char *hash, const char *password)
{
	char unused[PH_PASSWORD_HASH_SIZE];

	if (hash[0] == '\0') {
		ph_password_hash(unused, password);
		return 0;
	}
	return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}
