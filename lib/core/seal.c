/*
 * seal.c -- sealing with the secret of the home.
 */
#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/config.h"
#include "core/hash.h"
#include "core/seal.h"

enum { BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING, MAC_TEXT_LEN = 43 };

typedef char secret_text[PH_RANDOM_TEXT_SIZE];

static enum ph_rc
fail_file(struct ph_err *err, const char *path, const char *why)
{
	ph_fail(err, PH_EINTERNAL, "the secret of this installation cannot be used");
	return ph_fail_log(err, "%s: %s", path, why);
}

/* Complete before it has its name, so that nobody reads half of it. */
static enum ph_rc
make_secret(const char *path, struct ph_err *err)
{
	secret_text	text;
	char		temporary[512 + 8];
	int		fd, is_written;

	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	if ((fd = mkostemp(temporary, O_CLOEXEC)) < 0)
		return fail_file(err, temporary, strerror(errno));
	ph_random_text(text);
	is_written = fchmod(fd, 0600) == 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 &&
	    fsync(fd) == 0;
	sodium_memzero(text, sizeof(text));
	/* Another program may have been quicker; then its secret stays. */
	if (close(fd) != 0 || !is_written || (link(temporary, path) != 0 && errno != EEXIST)) {
		fail_file(err, path, strerror(errno));
		unlink(temporary);
		return PH_EINTERNAL;
	}
	unlink(temporary);
	return PH_OK;
}

static enum ph_rc
read_secret(secret_text text, struct ph_err *err)
{
	char		path[512];
	struct stat	sb;
	enum ph_rc	rc;
	ssize_t		n;
	int		fd;

	ph_config_path(path, sizeof(path), "secret");
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		if (errno != ENOENT)
			return fail_file(err, path, strerror(errno));
		if ((rc = make_secret(path, err)) != PH_OK)
			return rc;
		if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
			return fail_file(err, path, strerror(errno));
	}
	n = read(fd, text, PH_RANDOM_TEXT_SIZE - 1);
	if (fstat(fd, &sb) != 0)
		sb.st_mode = 0777;
	close(fd);
	if ((sb.st_mode & 077) != 0)
		return fail_file(err, path, "others may read it");
	if (n != PH_RANDOM_TEXT_SIZE - 1)
		return fail_file(err, path, "too short");
	text[n] = '\0';
	return PH_OK;
}

static enum ph_rc
make_mac(const char *purpose, const char *text, unsigned char mac[crypto_auth_hmacsha256_BYTES],
    struct ph_err *err)
{
	crypto_auth_hmacsha256_state	state;
	secret_text			secret;
	enum ph_rc			rc;

	if ((rc = read_secret(secret, err)) != PH_OK)
		return rc;
	crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)purpose, strlen(purpose) + 1);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(&state, sizeof(state));
	return PH_OK;
}

enum ph_rc
ph_seal_init(struct ph_err *err)
{
	secret_text	secret;
	enum ph_rc	rc = read_secret(secret, err);

	sodium_memzero(secret, sizeof(secret));
	return rc;
}

enum ph_rc
ph_seal(const char *purpose, const char *text, char out[PH_SEALED_MAX], struct ph_err *err)
{
	unsigned char	mac[crypto_auth_hmacsha256_BYTES];
	const size_t	len = strlen(text);
	size_t		used;
	enum ph_rc	rc;

	if (len > PH_SEAL_TEXT_MAX)
		return ph_fail(err, PH_EINTERNAL, "a text is too long to be sealed");
	if ((rc = make_mac(purpose, text, mac, err)) != PH_OK)
		return rc;
	sodium_bin2base64(out, PH_SEALED_MAX, (const unsigned char *)text, len, BASE64);
	used = strlen(out);
	out[used++] = '.';
	sodium_bin2base64(out + used, PH_SEALED_MAX - used, mac, sizeof(mac), BASE64);
	return PH_OK;
}

enum ph_rc
ph_unseal(const char *purpose, const char *sealed, char out[PH_SEAL_TEXT_MAX + 1], struct ph_err *err)
{
	unsigned char	 mac[crypto_auth_hmacsha256_BYTES], sent[crypto_auth_hmacsha256_BYTES];
	const char	*dot = strchr(sealed, '.');
	size_t		 len = 0, mac_len = 0;
	enum ph_rc	 rc;

	if (dot == NULL || strlen(dot + 1) != MAC_TEXT_LEN ||
	    sodium_base642bin((unsigned char *)out, PH_SEAL_TEXT_MAX, sealed, (size_t)(dot - sealed), NULL,
	    &len, NULL, BASE64) != 0 ||
	    sodium_base642bin(sent, sizeof(sent), dot + 1, MAC_TEXT_LEN, NULL, &mac_len, NULL, BASE64) != 0 ||
	    mac_len != sizeof(sent))
		return PH_EPARAM;
	out[len] = '\0';
	if (strlen(out) != len)
		return PH_EPARAM;
	if ((rc = make_mac(purpose, out, mac, err)) != PH_OK)
		return rc;
	return sodium_memcmp(mac, sent, sizeof(mac)) == 0 ? PH_OK : PH_EPARAM;
}
