/*
 * program.h -- what endpoint and job programs have in common as processes: what they need, how
 * they are asked to end, and how they notice that a newer release has taken their place.
 */
#ifndef PH_PROGRAM_H
#define PH_PROGRAM_H

#include <signal.h>

struct cJSON;

/* PH_NEED_STATE: the state file, also where no worker runs.  PH_NEED_NET: calls to other machines, with the breakers in that
 * file.  PH_NEED_MODEL: the read model of product analytics. */
enum ph_need { PH_NEED_DB_READ = 1, PH_NEED_DB_WRITE = 2, PH_NEED_NET = 4, PH_NEED_STATE = 8, PH_NEED_MODEL = 16 };

/* The needs (enum ph_need, or-ed) as an array of words, for --describe.  Caller owns. */
struct cJSON	*ph_program_needs(unsigned needs);

/*
 * From now on SIGTERM and SIGINT are held back: they interrupt nothing but a ppoll(2) with
 * *waiting as its mask.  SIGPIPE is ignored.
 */
void	ph_program_catch_stop(sigset_t *waiting);

/* Has one of them arrived, held back or not? */
int	ph_program_is_stopping(void);

/*
 * Has another program file taken our path?  Looks at most once a second; the first call notes
 * which file is ours.
 */
int	ph_program_is_replaced(void);

#endif
