/* SPDX-License-Identifier: Apache-2.0 */
/* Event files of TensorBoard, one event at a time: each function prints one event to `out`, and a file that begins with
 * cs_event_version and goes on with others is one that TensorBoard reads. The formats are those of its protos
 * (tensorboard/compat/proto/event.proto, summary.proto, plugins/hparams/api.proto and plugin_data.proto) in the frames
 * of a TFRecord file. No library for protobuf is used (src/report/tensorboard/wire.h).
 *
 * Scalars have the older of the two forms that TensorBoard reads, simple_value, which every reader of event files
 * knows. Images have the newer one, a tensor, as TensorBoard's data server drops the description of the older one.
 * Texts that are not UTF-8 are written with "\xe9" for each byte that is none, because a reader would refuse the whole
 * file.
 *
 * To add a kind of event: a function here and in src/report/tensorboard/, which writes one value of a summary. */
#ifndef CNNSWEEP_TENSORBOARD_H
#define CNNSWEEP_TENSORBOARD_H

#include "cnnsweep/metrics.h"

#include <stdint.h>
#include <stdio.h>

/* When an event was: seconds since 1970, and a step, which for what comes once an epoch is the epoch from 0. */
typedef struct cs_event_time {
    double seconds;
    int64_t step;
} cs_event_time;

/* The event with which every file begins. */
CS_MUST_CHECK cs_status cs_event_version(double seconds, FILE *out);

typedef struct cs_event_scalar {
    char tag[CS_METRIC_NAME_MAX + 8];
    double value; /* written as float32 */
} cs_event_scalar;
/* An event with n scalars. */
CS_MUST_CHECK cs_status cs_event_scalars(cs_event_time time, const cs_event_scalar *scalars, int n, FILE *out);

/* The confusion matrix as an image: a row for each true class and a column for each predicted class, from the upper
 * left; white for none of the images of that class to dark blue for all of them, and grey where a class has no image.
 * Its description names the classes, up to a hundred. Of more than CS_CONFUSION_PIXELS classes several share a pixel.
 * Needs CS_NEEDS_CONFUSION. */
enum { CS_CONFUSION_PIXELS = 1024 };
CS_MUST_CHECK cs_status cs_event_confusion(cs_event_time time, const char *tag, const cs_evaluation *evaluation,
                                           const char *const *classes, FILE *out);

/* The plug-in HParams compares the trials of a sweep, also with parallel coordinates. An experiment says which options
 * there are and where the metrics are; a session is one trial. */
typedef enum cs_hparam_type { CS_HPARAM_NUMBER, CS_HPARAM_TEXT, CS_HPARAM_BOOL } cs_hparam_type;

/* The value of an option of a trial. */
typedef struct cs_hparam {
    const char *name, *text;
    cs_hparam_type type; /* NUMBER, BOOL: what the text is read as */
} cs_hparam;

/* An option, with its values [n] as text; n = 0: they are not known yet. */
typedef struct cs_hparam_info {
    const char *name, *doc;
    cs_hparam_type type;
    int n;
    char *const *values;
} cs_hparam_info;

/* Where a metric is: the scalar `tag` of the run <session>/<run>, or of the session's own run if `run` is "". */
typedef struct cs_hparam_metric {
    const char *name, *doc;
    const char *run;
    char tag[CS_METRIC_NAME_MAX + 8];
} cs_hparam_metric;

typedef struct cs_event_experiment {
    const char *name;
    const cs_hparam_info *options; /* [n_options] */
    int n_options;
    const cs_hparam_metric *metrics; /* [n_metrics] */
    int n_metrics;
} cs_event_experiment;
CS_MUST_CHECK cs_status cs_event_experiment_write(cs_event_time time, const cs_event_experiment *experiment, FILE *out);
/* A trial began at time.seconds with the values of n options. Trials of one name would be a group of the plug-in. */
CS_MUST_CHECK cs_status cs_event_session_start(cs_event_time time, const char *trial, const cs_hparam *values, int n,
                                               FILE *out);
/* It ended, well or with a failure. */
CS_MUST_CHECK cs_status cs_event_session_end(cs_event_time time, bool ok, FILE *out);

/* The type of an option of which these texts [n] are all the values: NUMBER if each is a finite decimal number, BOOL if
 * each is true or false. */
cs_hparam_type cs_hparam_type_of(const char *const *texts, int n);

#endif
