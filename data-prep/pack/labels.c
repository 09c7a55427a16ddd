/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of classes, and which of them are packed. Every source gives classes by name; --map gives them other names,
 * and classes that get the same name become one. --classes and --only then name those that are kept. */
#include "pack.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

/* What happens to the classes of a list. */
typedef struct relabeling {
    const pack_list *list;
    char **names;      /* [n_classes] the new name of each, or NULL: it keeps its own */
    pack_list grouped; /* only the classes, by their new names */
    pack_list kept;    /* only the classes that are kept */
    int32_t *label_of; /* [n_classes] the new label, or -1 */
} relabeling;

static const char *new_name(const relabeling *work, int class) {
    return work->names[class] ? work->names[class] : work->list->classes[class];
}

static cs_status fail_unknown(const pack_list *list, const char *option, const char *name) {
    cs_suggestion suggestion = cs_suggestion_begin(name);
    char guess[128];
    for (int i = 0; i < list->n_classes; i++)
        cs_suggestion_try(&suggestion, list->classes[i]);
    return cs_fail(CS_ERR_ARG, "%s: there is no class '%s'%s", option, name,
                   cs_suggestion_text(&suggestion, guess, sizeof guess));
}

static cs_status rename_class(relabeling *work, int class, const char *to) {
    if (work->names[class])
        return cs_fail(CS_ERR_ARG, "--map: the class '%s' is mapped twice, to '%s' and to '%s'",
                       work->list->classes[class], work->names[class], to);
    return cs_strdup(to, &work->names[class]);
}

/* Parses a range such as "1-4". */
static bool parse_range(const char *text, long long range[2]) {
    char *end;
    range[0] = strtoll(text, &end, 10);
    return end != text && *end == '-' && pack_whole_number(end + 1, &range[1]) && range[0] <= range[1];
}

/* Gives the class `from`, or the classes whose names are whole numbers in a range, the name `to`. */
static cs_status map_classes(relabeling *work, const char *from, const char *to) {
    const int class = pack_list_find_class(work->list, from);
    long long range[2], number;
    bool found = false;
    if (!*to)
        return cs_fail(CS_ERR_ARG, "--map: '%s' gets no name", from);
    if (class >= 0)
        return rename_class(work, class, to);
    if (!parse_range(from, range))
        return fail_unknown(work->list, "--map", from);
    for (int i = 0; i < work->list->n_classes; i++)
        if (pack_whole_number(work->list->classes[i], &number) && number >= range[0] && number <= range[1]) {
            found = true;
            CS_TRY(rename_class(work, i, to));
        }
    return found ? CS_OK : cs_fail(CS_ERR_ARG, "--map: there is no class from %lld to %lld", range[0], range[1]);
}

static cs_status map_by_table(relabeling *work, pack_csv *table) {
    int from, to;
    bool more;
    CS_TRY(pack_csv_find(table, "from", "--map", &from));
    CS_TRY(pack_csv_find(table, "to", "--map", &to));
    for (;;) {
        CS_TRY(pack_csv_next(table, &more));
        if (!more)
            return CS_OK;
        cs_status status = map_classes(work, pack_csv_field(table, from), pack_csv_field(table, to));
        if (status != CS_OK)
            return pack_csv_context(table, from, status);
    }
}

/* Cuts the first part off *text, which ends at a comma; NULL after the last. */
static char *take_part(char **text) {
    char *part = *text;
    if (part) {
        *text = strchr(part, ',');
        if (*text)
            *(*text)++ = '\0';
    }
    return part;
}

static cs_status map_by_rules(relabeling *work, char *rules) {
    for (char *rule; (rule = take_part(&rules));) {
        char *to = strchr(rule, '=');
        if (!to)
            return cs_hint(cs_fail(CS_ERR_ARG, "--map: '%s' is no rule", rule),
                           "such as 0=healthy,1-4=sick; names with commas need a table with the columns from and to");
        *to = '\0';
        CS_TRY(map_classes(work, rule, to + 1));
    }
    return CS_OK;
}

static cs_status apply_map(relabeling *work, const char *map) {
    if (strchr(map, '=')) {
        char *rules = NULL;
        CS_TRY(cs_strdup(map, &rules));
        cs_status status = map_by_rules(work, rules);
        free(rules);
        return status;
    }
    pack_csv *table = NULL;
    CS_TRY(cs_context(pack_csv_open(map, &table), "--map"));
    cs_status status = map_by_table(work, table);
    pack_csv_close(table);
    return status;
}

/* Makes the list of the classes that are kept: those that are named, in the order of their names or of `grouped`. */
static cs_status keep_named(relabeling *work, const char *option, char *names, bool ordered) {
    pack_list named = {0};
    cs_status status = CS_OK;
    for (char *name; status == CS_OK && (name = take_part(&names));) {
        if (pack_list_find_class(&work->grouped, name) < 0)
            status = fail_unknown(&work->grouped, option, name);
        else if (pack_list_find_class(&named, name) >= 0)
            status = cs_fail(CS_ERR_ARG, "%s: '%s' is named twice", option, name);
        else
            status = pack_list_add_class(&named, name);
    }
    for (int i = 0; status == CS_OK && !ordered && i < work->grouped.n_classes; i++)
        if (pack_list_find_class(&named, work->grouped.classes[i]) >= 0)
            status = pack_list_add_class(&work->kept, work->grouped.classes[i]);
    if (ordered) {
        work->kept = named;
        named = (pack_list){0};
    }
    pack_list_clear(&named);
    return status;
}

static cs_status choose_kept(const pack_options *options, relabeling *work) {
    const char *option = options->keep ? "--only" : "--classes";
    const char *names = options->keep ? options->keep : options->keep_ordered;
    char *copy = NULL;
    if (options->keep && options->keep_ordered)
        return cs_fail(CS_ERR_ARG, "--only and --classes: both name the classes to pack; give one of them");
    if (!names) {
        work->kept = work->grouped;
        work->grouped = (pack_list){0};
        return CS_OK;
    }
    CS_TRY(cs_strdup(names, &copy));
    cs_status status = keep_named(work, option, copy, options->keep_ordered != NULL);
    free(copy);
    if (status == CS_OK && work->kept.n_classes < 2 && !options->input.one_class)
        status = cs_fail(CS_ERR_ARG, "%s: only one class; two are needed", option);
    return status;
}

static cs_status relabel(const pack_options *options, relabeling *work) {
    const int n = work->list->n_classes;
    int32_t label;
    CS_TRY(cs_alloc((size_t)n, sizeof *work->names, "classes", &work->names));
    CS_TRY(cs_alloc((size_t)n, sizeof *work->label_of, "classes", &work->label_of));
    if (options->map)
        CS_TRY(apply_map(work, options->map));
    for (int i = 0; i < n; i++)
        CS_TRY(pack_list_label(&work->grouped, new_name(work, i), &label));
    if (work->grouped.n_classes < 2 && !options->input.one_class)
        return cs_fail(CS_ERR_ARG, "--map: only one class is left, '%s'; two are needed", work->grouped.classes[0]);
    CS_TRY(choose_kept(options, work));
    for (int i = 0; i < n; i++)
        work->label_of[i] = pack_list_find_class(&work->kept, new_name(work, i));
    return CS_OK;
}

static bool has_label(const pack_sample *sample) {
    return sample->label >= 0;
}

/* Adds up the images that the source's classes had. */
static cs_status replace_source_counts(pack_list *list, const relabeling *work) {
    int64_t *counts = NULL;
    if (!list->source_counts)
        return CS_OK;
    CS_TRY(cs_alloc((size_t)work->kept.n_classes, sizeof *counts, "class counts", &counts));
    for (int i = 0; i < list->n_classes; i++)
        if (work->label_of[i] >= 0)
            counts[work->label_of[i]] += list->source_counts[i];
    free(list->source_counts);
    list->source_counts = counts;
    return CS_OK;
}

/* Gives the list the new classes, and the samples the new labels. */
static cs_status replace_classes(pack_list *list, relabeling *work) {
    const size_t all = list->n;
    CS_TRY(pack_list_record_classes(list, work->label_of));
    CS_TRY(replace_source_counts(list, work));
    for (size_t i = 0; i < list->n; i++)
        list->samples[i].label = work->label_of[list->samples[i].label];
    const size_t dropped = pack_list_keep(list, has_label);
    if (dropped > 0)
        cs_log(CS_LOG_INFO, "%zu of %zu images are of the classes to pack", all - dropped, all);
    pack_list_swap_classes(list, &work->kept);
    return CS_OK;
}

cs_status pack_apply_labels(const pack_options *options, pack_list *list) {
    relabeling work = {.list = list};
    const int n = list->n_classes;
    if (!options->map && !options->keep && !options->keep_ordered)
        return CS_OK;
    cs_status status = relabel(options, &work);
    if (status == CS_OK)
        status = replace_classes(list, &work);
    for (int i = 0; work.names && i < n; i++)
        free(work.names[i]);
    free(work.names);
    free(work.label_of);
    pack_list_clear(&work.grouped);
    pack_list_clear(&work.kept);
    return status;
}
