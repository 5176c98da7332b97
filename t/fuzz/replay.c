/*
 * replay.c -- every file of the corpus through a fuzz target, as a plain program.
 *
 * The corpus is $PH_SRCDIR/t/fuzz/corpus/NAME, NAME being this program's after "fuzz_".
 */
#include "autoconf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

int
main(int argc, char **argv)
{
	static uint8_t	 data[INPUT_MAX];
	const char	*src = getenv("PH_SRCDIR"), *name = strstr(argv[0], "fuzz_");
	char		 dir[512], path[1024];
	struct dirent	*e;
	size_t		 len;
	DIR		*d;
	FILE		*f;
	int		 n = 0;

	(void)argc;
	snprintf(dir, sizeof(dir), "%s/t/fuzz/corpus/%s", src != NULL ? src : ".", name != NULL ? name + 5 : "");
	if ((d = opendir(dir)) == NULL) {
		printf("Bail out! no corpus in %s\n", dir);
		return 1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if ((f = fopen(path, "rb")) == NULL) {
			printf("Bail out! cannot read %s\n", path);
			return 1;
		}
		len = fread(data, 1, sizeof(data), f);
		fclose(f);
		LLVMFuzzerTestOneInput(data, len);	/* a finding ends the process */
		printf("ok %d - %s\n", ++n, e->d_name);
		fflush(stdout);
	}
	closedir(d);
	printf("1..%d\n", n);
	return n > 0 ? 0 : 1;
}
