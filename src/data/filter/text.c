/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of filters as text. Trial keys are made of it, so equal chains must have equal texts. */
#include "filters.h"

#include "cnnsweep/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 64 /* bytes of a name or a number */ };

void cs_filter_takes(const cs_filter_parameter *parameter, char *out, size_t size) {
    static const char *const forms[] = {
        [CS_FILTER_NUMBER] = "a number from %g to %g",
        [CS_FILTER_WHOLE] = "a whole number from %g to %g",
        [CS_FILTER_ODD] = "an odd number from %g to %g",
        [CS_FILTER_CHOICE] = "",
    };
    size_t used = 0;
    snprintf(out, size, forms[parameter->type], (double)parameter->min, (double)parameter->max);
    for (int i = 0; parameter->type == CS_FILTER_CHOICE && parameter->choices[i] && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? " or " : "", parameter->choices[i]);
}

static cs_status find_filter(const char *name, int *out) {
    int n;
    const cs_filter *filters = cs_filters(&n);
    cs_suggestion suggestion = cs_suggestion_begin(name);
    char guess[128];
    for (*out = 0; *out < n; ++*out) {
        cs_suggestion_try(&suggestion, filters[*out].name);
        if (strcmp(filters[*out].name, name) == 0)
            return CS_OK;
    }
    return cs_hint(
        cs_fail(CS_ERR_ARG, "unknown filter '%s'%s", name, cs_suggestion_text(&suggestion, guess, sizeof guess)),
        "`cnnsweep options --filters` lists them");
}

static cs_status find_parameter(const cs_filter *filter, const char *name, int *out) {
    cs_suggestion suggestion = cs_suggestion_begin(name);
    char guess[128];
    for (*out = 0; *out < CS_FILTER_PARAMETERS && filter->parameters[*out].name; ++*out) {
        cs_suggestion_try(&suggestion, filter->parameters[*out].name);
        if (strcmp(filter->parameters[*out].name, name) == 0)
            return CS_OK;
    }
    return cs_hint(cs_fail(CS_ERR_ARG, "%s has no parameter '%s'%s", filter->name, name,
                           cs_suggestion_text(&suggestion, guess, sizeof guess)),
                   "`cnnsweep options --filters` lists them");
}

static bool parse_choice(const cs_filter_parameter *parameter, const char *text, float *value) {
    for (int i = 0; parameter->choices[i]; i++)
        if (strcmp(parameter->choices[i], text) == 0) {
            *value = (float)i;
            return true;
        }
    return false;
}

static bool parse_number(const cs_filter_parameter *parameter, const char *text, float *value) {
    char *end;
    *value = strtof(text, &end);
    if (end == text || *end || strpbrk(text, "xX") || !(*value >= parameter->min && *value <= parameter->max))
        return false;
    bool is_whole = *value == floorf(*value);
    return parameter->type == CS_FILTER_NUMBER || (is_whole && (parameter->type == CS_FILTER_WHOLE || (int)*value % 2));
}

static cs_status set_parameter(const cs_filter *filter, int index, const char *text, float *values) {
    const cs_filter_parameter *parameter = &filter->parameters[index];
    bool is_choice = parameter->type == CS_FILTER_CHOICE;
    char takes[128];
    if ((is_choice ? parse_choice : parse_number)(parameter, text, &values[index]))
        return CS_OK;
    cs_filter_takes(parameter, takes, sizeof takes);
    return cs_fail(CS_ERR_ARG, "%s: %s is '%s'; it takes %s", filter->name, parameter->name, text, takes);
}

/* Parses "name=value", or the value of the first parameter. */
static cs_status parse_parameter(const cs_filter *filter, bool is_first, char *text, float *values) {
    int index;
    char *equals = strchr(text, '=');
    if (!equals && is_first && filter->parameters[0].name)
        return set_parameter(filter, 0, text, values);
    if (!equals)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: '%s' is no parameter", filter->name, text),
                       "write name=value, as in unsharp:amount=1.5");
    *equals = '\0';
    CS_TRY(find_parameter(filter, text, &index));
    return set_parameter(filter, index, equals + 1, values);
}

/* Ends the first part of the text at `separator` and moves *text behind it. */
static char *cut(char **text, char separator) {
    char *first = *text, *end = strchr(first, separator);
    if (end)
        *end = '\0';
    *text = end ? end + 1 : NULL;
    return first;
}

/* Parses "name:parameter=value:parameter=value". */
static cs_status parse_step(char *text, struct cs_filter_step *step) {
    int n;
    CS_TRY(find_filter(cut(&text, ':'), &step->filter));
    const cs_filter *filter = &cs_filters(&n)[step->filter];
    for (int i = 0; i < CS_FILTER_PARAMETERS; i++)
        step->value[i] = filter->parameters[i].fallback;
    for (bool is_first = true; text; is_first = false)
        CS_TRY(parse_parameter(filter, is_first, cut(&text, ':'), step->value));
    return CS_OK;
}

static void print_step(const struct cs_filter_step *step, char *out, size_t size) {
    int n;
    const cs_filter *filter = &cs_filters(&n)[step->filter];
    size_t used = (size_t)snprintf(out, size, "%s", filter->name);
    for (int i = 0; i < CS_FILTER_PARAMETERS && filter->parameters[i].name && used < size; i++) {
        const cs_filter_parameter *parameter = &filter->parameters[i];
        char value[WORD];
        if (step->value[i] == parameter->fallback)
            continue;
        if (parameter->type == CS_FILTER_CHOICE)
            snprintf(value, sizeof value, "%s", parameter->choices[(int)step->value[i]]);
        else
            cs_float_text(step->value[i], value, sizeof value);
        used += (size_t)snprintf(out + used, size - used, ":%s=%s", parameter->name, value);
    }
}

cs_status cs_filter_parse(const char *text, cs_filter_chain *out) {
    char copy[CS_FILTER_TEXT], *rest = copy;
    cs_filter_chain chain = {.text = "none"};
    size_t used = 0;
    if (strlen(text) >= sizeof copy)
        return cs_fail(CS_ERR_ARG, "the filters are longer than %zu characters: %.40s...", sizeof copy - 1, text);
    snprintf(copy, sizeof copy, "%s", text);
    if (strcmp(text, "none") == 0)
        rest = NULL;
    while (rest) {
        if (chain.n == CS_FILTER_STEPS)
            return cs_fail(CS_ERR_ARG, "more than %d filters: %s", CS_FILTER_STEPS, text);
        CS_TRY(parse_step(cut(&rest, ','), &chain.steps[chain.n]));
        used += (size_t)snprintf(chain.text + used, sizeof chain.text - used, "%s", chain.n > 0 ? "," : "");
        print_step(&chain.steps[chain.n++], chain.text + used, sizeof chain.text - used);
        used += strlen(chain.text + used);
    }
    *out = chain;
    return CS_OK;
}

const char *cs_filter_text(const cs_filter_chain *chain) {
    return chain->n > 0 ? chain->text : "none";
}
