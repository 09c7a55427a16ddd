/* SPDX-License-Identifier: Apache-2.0 */
/* Calls the callbacks of a group, on rank 0. */
#include "checkpoint.h"
#include "group_impl.h"

/* A trial that has ended needs no checkpoint. */
static cs_status discard_checkpoint(const cs_group *group, const cs_tail *tail) {
    return group->writes_files ? cs_checkpoint_remove(tail) : CS_OK;
}

static cs_status report_failure(const cs_group *group, const cs_tail *tail, cs_status status) {
    if (!cs_team_leads(group->team))
        return CS_OK;
    CS_TRY(group->events.failed(group->events.context, tail->trial, status));
    return discard_checkpoint(group, tail);
}

cs_status cs_group_report_failure(const cs_group *group, const cs_tail *tail, cs_status status) {
    if (status == CS_ERR_COMM || !group->events.failed)
        return status;
    return cs_team_agree(group->team, report_failure(group, tail, status));
}

void cs_group_report_batch(const cs_group *group, const cs_tail *tail) {
    const cs_train_events *events = &group->events;
    const cs_tally *last = &tail->last;
    if (events->batch && cs_team_leads(group->team))
        events->batch(events->context, tail->trial, tail->rate, last->loss / (double)last->rows);
}

cs_status cs_group_report_epoch(const cs_group *group, cs_tail *tail, const cs_epoch_row *row) {
    const cs_train_events *events = &group->events;
    bool enough = false, calls_back = events->epoch && cs_team_leads(group->team);
    CS_TRY(cs_team_agree(group->team, calls_back ? events->epoch(events->context, tail->trial, row, &enough) : CS_OK));
    double decision = enough;
    CS_TRY(cs_team_sum(group->team, &decision, 1));
    if (decision > 0 && tail->ending == CS_IN_TRAINING)
        tail->ending = CS_ENDED_BY_CALLER;
    return CS_OK;
}

static cs_status report_finished(const cs_group *group, cs_tail *tail) {
    cs_trial_result result;
    if (!cs_team_leads(group->team))
        return CS_OK;
    cs_tail_result(tail, group->trunk, &result);
    const cs_evaluation *evaluations[CS_SPLIT_COUNT] = {NULL};
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        if (group->test_feeds[split])
            evaluations[split] = tail->tested[split];
    CS_TRY(cs_tail_choose_saved(tail));
    if (group->events.finished)
        CS_TRY(group->events.finished(group->events.context, tail->trial, &result, evaluations, tail->params,
                                      group->dataset));
    return discard_checkpoint(group, tail);
}

cs_status cs_group_report_finished(const cs_group *group, cs_tail *tail) {
    return cs_team_agree(group->team, report_finished(group, tail));
}
