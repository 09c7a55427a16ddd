/* SPDX-License-Identifier: Apache-2.0 */
/* Writes an augmentation as text, the same for equal augmentations: trial keys are made of it. */
#include "rules.h"

#include "cnnsweep/text.h"

#include <stdio.h>
#include <string.h>

typedef struct writer {
    char *out;
    size_t size, used;
} writer;

static void write(writer *to, const char *separator, const char *text) {
    if (to->used < to->size)
        to->used += (size_t)snprintf(to->out + to->used, to->size - to->used, "%s%s", separator, text);
}

/* The step of a generator that comes next after the name `after`; NULL if there is none. */
static const cs_augment_step *next_by_name(const cs_augment *augment, const char *after) {
    const cs_augment_step *next = NULL;
    for (int i = 0; i < augment->n; i++) {
        const cs_augment_step *step = &augment->steps[i];
        if (strcmp(step->rule->name, after) > 0 && (!next || strcmp(step->rule->name, next->rule->name) < 0))
            next = step;
    }
    return next;
}

static void write_generator(const cs_augment *augment, writer *to) {
    const cs_augment_step *step = next_by_name(augment, "");
    for (; step; step = next_by_name(augment, step->rule->name)) {
        char value[CS_PARAMETER_TEXT];
        cs_augment_write(&step->rule->parameters[0], step->number, value, sizeof value);
        write(to, to->used > 0 ? " " : "", step->rule->name);
        write(to, "=", value);
    }
}

/* "(degrees=-15:15 p=0.5)": what differs from the defaults; "" if nothing does. */
static void write_parameters(const cs_augment_step *step, writer *to) {
    const char *separator = "(";
    const float *numbers = step->number;
    for (const cs_augment_parameter *parameter = step->rule->parameters; parameter->type != CS_AUGMENT_END;
         parameter++) {
        const int width = cs_augment_width(parameter->type);
        char value[CS_PARAMETER_TEXT];
        if (memcmp(numbers, parameter->fallback, (size_t)width * sizeof *numbers) != 0) {
            cs_augment_write(parameter, numbers, value, sizeof value);
            write(to, separator, parameter->name);
            write(to, "=", value);
            separator = " ";
        }
        numbers += width;
    }
    if (step->p != cs_rule_p(step->rule)) {
        char value[16];
        cs_float_text(step->p, value, sizeof value);
        write(to, separator, "p=");
        write(to, "", value);
        separator = " ";
    }
    if (separator[0] == ' ')
        write(to, "", ")");
}

static void write_list(const cs_augment_step *steps, int n, writer *to) {
    write(to, "", "[");
    for (int i = 0; i < n; i += 1 + steps[i].inside) {
        write(to, i > 0 ? " " : "", steps[i].rule->name);
        write_parameters(&steps[i], to);
        if (steps[i].inside > 0)
            write_list(steps + i + 1, steps[i].inside, to);
    }
    write(to, "", "]");
}

void cs_augment_text(const cs_augment *augment, char *out, size_t size) {
    writer to = {out, size, 0};
    out[0] = '\0';
    if (augment->n > 0 && augment->steps[0].rule->family == CS_FAMILY_GENERATOR)
        write_generator(augment, &to);
    else if (augment->n > 0)
        write_list(augment->steps, augment->n, &to);
}
