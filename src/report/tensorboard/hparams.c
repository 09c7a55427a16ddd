/* SPDX-License-Identifier: Apache-2.0 */
/* The events of the plug-in HParams (tensorboard/plugins/hparams). */
#include "event.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char plugin[] = "hparams";
/* Field numbers of HParamsPluginData and of what is in it. The version of the plug-in's data is 0, the default. */
enum { DATA_EXPERIMENT = 2, DATA_START = 3, DATA_END = 4 };
enum { EXPERIMENT_CREATED = 3, EXPERIMENT_OPTION = 4, EXPERIMENT_METRIC = 5, EXPERIMENT_NAME = 6 };
enum {
    OPTION_NAME = 1,
    OPTION_DOC = 3,
    OPTION_TYPE = 4,
    OPTION_VALUES = 5,
    OPTION_INTERVAL = 6,
    OPTION_DIFFERS = 7,
    LIST_VALUE = 1,
    INTERVAL_MIN = 1,
    INTERVAL_MAX = 2
};
enum { METRIC_WHERE = 1, METRIC_NAME = 3, METRIC_DOC = 4, METRIC_SPLIT = 5, WHERE_RUN = 1, WHERE_TAG = 2 };
enum { START_OPTION = 1, START_GROUP = 4, START_TIME = 5, MAP_KEY = 1, MAP_VALUE = 2 };
enum { END_STATUS = 1, END_TIME = 2, STATUS_SUCCESS = 1, STATUS_FAILURE = 2 };
enum { VALUE_NUMBER = 2, VALUE_TEXT = 3, VALUE_BOOL = 4 }; /* google.protobuf.Value */

static bool is_true(const char *text) {
    return strcmp(text, "true") == 0;
}

static bool is_bool(const char *text) {
    return is_true(text) || strcmp(text, "false") == 0;
}

/* A name may be "inf", "nan" or "0x10", so these are texts. */
static bool is_number(const char *text) {
    char *end;
    const double value = strtod(text, &end);
    return end > text && !*end && isfinite(value) && strspn(text, "+-.0123456789eE") == strlen(text) &&
           !isspace((unsigned char)text[0]);
}

cs_hparam_type cs_hparam_type_of(const char *const *texts, int n) {
    bool numbers = n > 0, bools = n > 0;
    for (int i = 0; i < n; i++) {
        numbers = numbers && is_number(texts[i]);
        bools = bools && is_bool(texts[i]);
    }
    return numbers ? CS_HPARAM_NUMBER : bools ? CS_HPARAM_BOOL : CS_HPARAM_TEXT;
}

static void write_value(cs_wire *wire, int field, cs_hparam_type type, const char *text) {
    cs_wire value = {0};
    if (type == CS_HPARAM_NUMBER)
        cs_wire_double(&value, VALUE_NUMBER, strtod(text, NULL));
    else if (type == CS_HPARAM_BOOL)
        cs_wire_varint(&value, VALUE_BOOL, is_true(text));
    else
        cs_wire_text(&value, VALUE_TEXT, text);
    cs_wire_message(wire, field, &value);
}

/* The plug-in filters numbers by an interval and other values by a list. */
static void write_domain(cs_wire *wire, const cs_hparam_info *option) {
    cs_wire domain = {0};
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < option->n && option->type == CS_HPARAM_NUMBER; i++) {
        const double value = strtod(option->values[i], NULL);
        low = fmin(low, value);
        high = fmax(high, value);
    }
    if (option->type == CS_HPARAM_NUMBER) {
        cs_wire_double(&domain, INTERVAL_MIN, low);
        cs_wire_double(&domain, INTERVAL_MAX, high);
        cs_wire_message(wire, OPTION_INTERVAL, &domain);
        return;
    }
    for (int i = 0; i < option->n; i++)
        write_value(&domain, LIST_VALUE, option->type, option->values[i]);
    cs_wire_message(wire, OPTION_VALUES, &domain);
}

static void write_option(cs_wire *experiment, const cs_hparam_info *option) {
    static const uint64_t types[] = {[CS_HPARAM_TEXT] = 1, [CS_HPARAM_BOOL] = 2, [CS_HPARAM_NUMBER] = 3};
    cs_wire info = {0};
    cs_wire_text(&info, OPTION_NAME, option->name);
    cs_wire_text(&info, OPTION_DOC, option->doc);
    cs_wire_varint(&info, OPTION_TYPE, types[option->type]);
    if (option->n > 0)
        write_domain(&info, option);
    cs_wire_varint(&info, OPTION_DIFFERS, option->n != 1);
    cs_wire_message(experiment, EXPERIMENT_OPTION, &info);
}

static void write_metric(cs_wire *experiment, const cs_hparam_metric *metric) {
    cs_wire info = {0}, where = {0};
    const uint64_t train = 1, validation = 2;
    if (metric->run[0])
        cs_wire_text(&where, WHERE_RUN, metric->run);
    cs_wire_text(&where, WHERE_TAG, metric->tag);
    cs_wire_message(&info, METRIC_WHERE, &where);
    cs_wire_text(&info, METRIC_NAME, metric->name);
    cs_wire_text(&info, METRIC_DOC, metric->doc);
    if (metric->run[0])
        cs_wire_varint(&info, METRIC_SPLIT, strcmp(metric->run, "train") == 0 ? train : validation);
    cs_wire_message(experiment, EXPERIMENT_METRIC, &info);
}

/* Prints the event that has `content` in this field of the plug-in's data. */
static cs_status print(cs_event_time time, const char *tag, int field, cs_wire *content, FILE *out) {
    cs_wire data = {0}, summary = {0};
    cs_wire_message(&data, field, content);
    cs_summary_plugin(&summary, tag, plugin, &data);
    return cs_event_print(time, &summary, out);
}

cs_status cs_event_experiment_write(cs_event_time time, const cs_event_experiment *experiment, FILE *out) {
    cs_wire content = {0};
    cs_wire_text(&content, EXPERIMENT_NAME, experiment->name);
    cs_wire_double(&content, EXPERIMENT_CREATED, time.seconds);
    for (int i = 0; i < experiment->n_options; i++)
        write_option(&content, &experiment->options[i]);
    for (int i = 0; i < experiment->n_metrics; i++)
        write_metric(&content, &experiment->metrics[i]);
    return print(time, "_hparams_/experiment", DATA_EXPERIMENT, &content, out);
}

cs_status cs_event_session_start(cs_event_time time, const char *trial, const cs_hparam *values, int n, FILE *out) {
    cs_wire content = {0};
    for (int i = 0; i < n; i++) {
        cs_wire entry = {0};
        cs_wire_text(&entry, MAP_KEY, values[i].name);
        write_value(&entry, MAP_VALUE, values[i].type, values[i].text);
        cs_wire_message(&content, START_OPTION, &entry);
    }
    cs_wire_text(&content, START_GROUP, trial);
    cs_wire_double(&content, START_TIME, time.seconds);
    return print(time, "_hparams_/session_start_info", DATA_START, &content, out);
}

cs_status cs_event_session_end(cs_event_time time, bool ok, FILE *out) {
    cs_wire content = {0};
    cs_wire_varint(&content, END_STATUS, ok ? STATUS_SUCCESS : STATUS_FAILURE);
    cs_wire_double(&content, END_TIME, time.seconds);
    return print(time, "_hparams_/session_end_info", DATA_END, &content, out);
}
