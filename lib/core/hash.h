/*
 * hash.h -- SHA-256, HMAC, random text and constant-time comparison (libsodium).
 */
#ifndef PH_HASH_H
#define PH_HASH_H

#include <stddef.h>
#include <stdint.h>

enum {
	PH_SHA256_SIZE = 32,		/* bytes */
	PH_HMAC_TEXT_SIZE = 65,		/* 64 hexadecimal digits and a NUL */
	PH_ETAG_SIZE = 35,		/* 128 bits in hexadecimal, quotes and a NUL */
	PH_RANDOM_TEXT_SIZE = 44	/* 256 bits as base64url: 43 characters and a NUL */
};

void	ph_sha256(unsigned char out[PH_SHA256_SIZE], const void *data, size_t len);

/* HMAC-SHA-256 (RFC 2104) of some parts one after the other, as lower-case hexadecimal. */
struct ph_hmac_part { const void *data; size_t len; };
void	ph_hmac_sha256(char out[PH_HMAC_TEXT_SIZE], const void *key, size_t key_len,
	    const struct ph_hmac_part *, size_t nparts);

/* A strong entity tag (RFC 9110 section 8.8.3) of some bytes, with its quotes. */
void	ph_etag(char out[PH_ETAG_SIZE], const void *data, size_t len);

/* Base64 (RFC 4648 section 4), with padding and a NUL.  Returns out; size >= 4 * (len / 3 + 1) + 1. */
char	*ph_base64(char *out, size_t size, const void *data, size_t len);

/* 256 random bits as base64url without padding (RFC 4648 section 5). */
void	ph_random_text(char out[PH_RANDOM_TEXT_SIZE]);
/* len random lower-case hexadecimal digits and a NUL.  len < 64. */
void	ph_random_hex(char *out, size_t len);

/* Argon2id in its own text form (RFC 9106, libsodium's interactive limits: 64 MiB, some 50 ms).
 * 0, or -1 without the memory. */
enum { PH_PASSWORD_MAX = 256, PH_PASSWORD_HASH_SIZE = 128 };
int	ph_password_hash(char out[PH_PASSWORD_HASH_SIZE], const char *password);
/* Does the hash, "" for none, belong to the password?  It takes as long without a hash. */
int	ph_password_is(const char *hash, const char *password);

/* Lower-case UUID version 4 (RFC 9562). */
void	ph_uuid(char out[37]);
/* Lower-case UUID version 7 (RFC 9562): those of a later millisecond sort behind, so that an index on
 * them grows at its end. */
void	ph_uuid_at(char out[37], int64_t ms);

#endif
