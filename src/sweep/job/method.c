/* SPDX-License-Identifier: Apache-2.0 */
#include "method.h"
#include "bayes.h"
#include "bayes_cells.h"
#include "tpe.h"
#include "tpe_cells.h"

#include <string.h>

static const cs_method table[] = {
    {.name = "grid"},
    {.name = "random", .draws = true},
    {.name = "tpe", .draws = true, .startup = CS_TPE_STARTUP, .suggest = cs_tpe_suggest_cell},
    {.name = "bayes", .draws = true, .startup = CS_BAYES_STARTUP, .suggest = cs_bayes_suggest_cell},
};

const cs_method *cs_methods(size_t *n) {
    *n = sizeof table / sizeof *table;
    return table;
}

const cs_method *cs_method_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}
