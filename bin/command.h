/*
 * command.h -- the subcommands of pilothouse(1).
 *
 * Each takes its own name in argv[0] and returns the exit status: 0 done, 1 failed, 2 wrong
 * usage; `get` also 4 and 5.  The settings are loaded before it runs.
 */
#ifndef PH_COMMAND_H
#define PH_COMMAND_H

typedef int ph_command(int argc, char **argv);

ph_command cmd_init, cmd_migrate;			/* data.c */
ph_command cmd_start, cmd_stop, cmd_restart, cmd_status, cmd_logs;	/* service.c */
ph_command cmd_token;
ph_command cmd_user;
ph_command cmd_get;
ph_command cmd_post;
ph_command cmd_put;
ph_command cmd_delete;
ph_command cmd_backup, cmd_restore;
ph_command cmd_verify;
ph_command cmd_demo;
ph_command cmd_config;
ph_command cmd_doctor;
ph_command cmd_routes;
ph_command cmd_jobs;

#endif
