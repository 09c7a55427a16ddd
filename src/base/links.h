/* Inside the base room: what there must be one of in a process, and where a copy of the room finds it. */
#ifndef CNNSWEEP_BASE_LINKS_H
#define CNNSWEEP_BASE_LINKS_H

#include "cnnsweep/log.h"

extern const cs_base_links *cs_links; /* those taken, else the room's own */

cs_error *cs_own_error(void);
void cs_own_log_line(cs_log_level level, const char *line);
cs_log_level cs_own_log_level(void);

#endif
