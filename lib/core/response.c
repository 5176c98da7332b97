/*
 * response.c -- header lines.
 */
#include "autoconf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/response.h"

const char *
ph_status_phrase(int status)
{
	static const struct { int status; const char *phrase; } phrases[] = {
		{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 207, "Multi-Status" }, { 204, "No Content" }, { 304, "Not Modified" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" }, { 409, "Conflict" }, { 412, "Precondition Failed" }, { 413, "Content Too Large" },
		{ 414, "URI Too Long" }, { 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return status < 400 ? "OK" : "Error";
}

void
ph_response_init(struct ph_response *r, int status)
{
	r->status = status;
	r->head_len = 0;
	r->is_overfull = 0;
	r->body = NULL;
	r->body_len = 0;
	r->is_head = 0;
	ph_response_header(r, "Status: %d %s", status, ph_status_phrase(status));
}

void
ph_response_free(struct ph_response *r)
{
	free(r->body);
	r->body = NULL;
}

void
ph_response_header(struct ph_response *r, const char *fmt, ...)
{
	const size_t	room = sizeof(r->head) - r->head_len;
	char		*line = r->head + r->head_len;
	va_list		 ap;
	int		 n, i;

	va_start(ap, fmt);
	n = vsnprintf(line, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 2 >= room) {
		r->is_overfull = 1;
		return;
	}
	for (i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ')
			return;
	memcpy(line + n, "\r\n", 2);
	r->head_len += (size_t)n + 2;
}
