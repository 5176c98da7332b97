/*
 * empty.c -- the least a FastCGI program can do: plain libfcgi, an empty object.
 * What nginx, libfcgi and the sockets cost is what this costs.
 */
#include <fcgiapp.h>

static const char answer[] = "Content-Type: application/json\r\n\r\n{}";

int
main(void)
{
	FCGX_Request req;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&req, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&req) == 0) {
		FCGX_PutStr(answer, sizeof(answer) - 1, req.out);
		FCGX_Finish_r(&req);
	}
	return 0;
}
