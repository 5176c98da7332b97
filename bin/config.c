/*
 * config.c -- pilothouse config: the effective settings, and the list of them for the manual.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/config.h"
#include "instance.h"

static void
print_man(void)
{
	const struct ph_setting	*s;
	int			 i;

	for (i = 0; i < PH_CFG__MAX; i++) {
		s = ph_setting((enum ph_setting_id)i);
		printf(".It Ev %s\n%c%s.\n", s->name, s->help[0] >= 'a' && s->help[0] <= 'z' &&
		    strncmp(s->help, "nginx", 5) != 0 ? s->help[0] - 'a' + 'A' : s->help[0], s->help + 1);
		if (s->type == PH_SET_INT)
			printf("An integer from %lld to %lld, default %s.\n", (long long)s->min,
			    (long long)s->max, s->dflt);
		else if (s->type == PH_SET_BOOL)
			printf("0 or 1, default %s.\n", s->dflt);
		else if (s->dflt[0] != '\0' && i != PH_CFG_HOME)
			printf("Default: %s.\n", s->dflt);
		else if (i != PH_CFG_HOME)
			printf("Default: empty.\n");
	}
}

int
cmd_config(int argc, char **argv)
{
	const struct ph_setting	*s;
	int			 i;

	if (argc == 2 && strcmp(argv[1], "--man") == 0) {
		print_man();
		return 0;
	}
	if (argc != 1)
		return complain_usage("config");
	for (i = 0; i < PH_CFG__MAX; i++) {
		s = ph_setting((enum ph_setting_id)i);
		printf("%s=%s\t# %s; %s\n", s->name, s->is_secret && ph_config_str((enum ph_setting_id)i)[0] != '\0' ?
		    "********" : ph_config_str((enum ph_setting_id)i), ph_config_source((enum ph_setting_id)i),
		    s->help);
	}
	return 0;
}
