/* Inside the sweep room: small helpers around option names and values. */
#ifndef CNNSWEEP_OPTION_TEXT_H
#define CNNSWEEP_OPTION_TEXT_H

#include "cnnsweep/job.h"

/* "lr" of "train.lr": column names and sweep.parameters. Last parts are unique in the table. */
const char *cs_option_short_name(const cs_option *option);

CS_MUST_CHECK cs_status cs_parse_bool(const char *text, bool *out);
/* Decimal, finite. */
CS_MUST_CHECK cs_status cs_parse_float(const char *text, double *out);

#endif
