/*
 * response.h -- the bytes of an answer, whoever carries them.
 */
#ifndef PH_RESPONSE_H
#define PH_RESPONSE_H

#include <stddef.h>

enum { PH_HEAD_SIZE = 4096 };	/* all header lines of an answer */

struct ph_response {
	int	 status;
	char	 head[PH_HEAD_SIZE];	/* CRLF-ended lines, Status first */
	size_t	 head_len;
	int	 is_overfull;		/* a header did not fit */
	char	*body;			/* malloc'ed; NULL: none */
	size_t	 body_len;
	int	 is_head;		/* HEAD: the body is measured and not sent */
};

void	ph_response_init(struct ph_response *, int status);
void	ph_response_free(struct ph_response *);		/* the body */

/* Append one header line (without CRLF).  Control characters in it are a mistake of ours and
 * drop the line.  Marks the response overfull instead of cutting. */
void	ph_response_header(struct ph_response *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* "200 OK" and so on; the phrase of an unlisted status is its class. */
const char	*ph_status_phrase(int status);

#endif
