/* SPDX-License-Identifier: Apache-2.0 */
/* Lines about a sweep as a whole: where it ran, with what, on which data. To add one: a row and a function. */
#include "facts.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { VALUE = CS_VALUE_MAX * 2 + 64 };

static void print_dataset(const cs_collection *c, char out[VALUE]) {
    snprintf(out, VALUE, "%s, checksum %016llx", c->first->dataset, (unsigned long long)c->first->checksum);
}

static void print_weights(const cs_collection *c, char out[VALUE]) {
    const char *path;
    json_t *checksum;
    size_t used = 0;
    out[0] = '\0';
    json_object_foreach(c->first->files, path, checksum) {
        const char *text = json_string_value(checksum);
        if (used < VALUE)
            used += (size_t)snprintf(out + used, VALUE - used, "%s%s, checksum %s", used ? "; " : "", path,
                                     text ? text : "not known");
    }
}

static void print_engine(const cs_collection *c, char out[VALUE]) {
    snprintf(out, VALUE, "%s %s%s", c->first->engine, c->first->precision,
             c->first->deterministic ? ", deterministic" : "");
}

static void print_ranks(const cs_collection *c, char out[VALUE]) {
    int ranks = 0;
    for (int i = 0; i < c->n; i++)
        ranks += c->folders[i].ranks;
    snprintf(out, VALUE, "%d, with %d thread%s each", ranks, c->first->threads, c->first->threads == 1 ? "" : "s");
}

static void print_machine(const cs_collection *c, char out[VALUE]) {
    snprintf(out, VALUE, "%s", c->first->machine);
}

static void print_version(const cs_collection *c, char out[VALUE]) {
    snprintf(out, VALUE, "cnnsweep %s", c->first->version);
}

double cs_page_first_start(const cs_collection *c) {
    double first = INFINITY;
    for (int i = 0; i < c->n; i++)
        if (c->folders[i].first_start > 0)
            first = fmin(first, c->folders[i].first_start);
    return first;
}

static void print_begun(const cs_collection *c, char out[VALUE]) {
    const double first = cs_page_first_start(c);
    out[0] = '\0';
    if (!isfinite(first))
        return;
    const time_t seconds = (time_t)first;
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(out, VALUE, "%Y-%m-%d %H:%M:%S UTC", &utc);
}

static void print_took(const cs_collection *c, char out[VALUE]) {
    double last = 0;
    for (int i = 0; i < c->n; i++)
        last = fmax(last, c->folders[i].last_time);
    out[0] = '\0';
    if (last > 0 && isfinite(cs_page_first_start(c)))
        snprintf(out, VALUE, "%.1f s, pauses included", last - cs_page_first_start(c));
}

static void print_folders(const cs_collection *c, char out[VALUE]) {
    size_t used = 0;
    for (int i = 0; i < c->n && used < VALUE; i++)
        used += (size_t)snprintf(out + used, VALUE - used, "%s%s", i ? ", " : "", c->folders[i].path);
}

static const struct fact {
    const char *name;
    void (*print)(const cs_collection *c, char out[VALUE]); /* "": the line is left out */
} facts[] = {
    {"Dataset", print_dataset}, {"Weights", print_weights},           {"Engine", print_engine},
    {"Ranks", print_ranks},     {"Machine of rank 0", print_machine}, {"Begun", print_begun},
    {"Took", print_took},       {"Version", print_version},           {"Folders", print_folders},
};
enum { N_FACTS = sizeof facts / sizeof *facts };

cs_status cs_page_facts(cs_page_memory *memory, const cs_collection *collection, const cs_page_fact **out, int *n) {
    cs_page_fact *lines = NULL;
    CS_TRY(cs_page_alloc(memory, N_FACTS, sizeof *lines, &lines));
    *n = 0;
    for (int i = 0; i < N_FACTS; i++) {
        char value[VALUE];
        facts[i].print(collection, value);
        if (!value[0])
            continue;
        lines[*n].name = facts[i].name;
        CS_TRY(cs_page_text(memory, value, &lines[(*n)++].value));
    }
    *out = lines;
    return CS_OK;
}
