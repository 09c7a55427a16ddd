/* SPDX-License-Identifier: Apache-2.0 */
#include "team.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

cs_status cs_team_open(const cs_comm *comm, const volatile sig_atomic_t *stop, cs_team **out) {
    cs_team *team = NULL;
    *out = NULL;
    if (!comm || comm->size == 1)
        return CS_OK;
    CS_TRY(cs_alloc(1, sizeof *team, "team", &team));
    team->comm = comm;
    team->stop = stop;
    size_t size = (size_t)comm->size, text = sizeof(cs_error);
    cs_status status = cs_alloc(size > text ? size : text, sizeof *team->buffer, "team", &team->buffer);
    if (status != CS_OK) {
        cs_team_close(team);
        return status;
    }
    *out = team;
    return CS_OK;
}

void cs_team_close(cs_team *team) {
    if (team)
        free(team->buffer);
    free(team);
}

int cs_team_rank(const cs_team *team) {
    return team ? team->comm->rank : 0;
}

int cs_team_size(const cs_team *team) {
    return team ? team->comm->size : 1;
}

bool cs_team_leads(const cs_team *team) {
    return cs_team_rank(team) == 0;
}

cs_status cs_team_sum(cs_team *team, double *values, size_t n) {
    return team ? team->comm->sum_double(team->comm->context, values, n) : CS_OK;
}

/* The first rank whose failure is not an interruption, else the first that was interrupted; -1: no rank failed. */
static int first_failed(const double *codes, int size) {
    int found = -1;
    for (int r = 0; r < size; r++) {
        int code = (int)codes[r];
        if (code != CS_OK && (found < 0 || ((int)codes[found] == CS_ERR_INTERRUPTED && code != CS_ERR_INTERRUPTED)))
            found = r;
    }
    return found;
}

/* Gets the error of rank `from`. cs_comm can only add, so all other ranks add zeros to the bytes of that error. */
static cs_status fetch_error(cs_team *team, int from) {
    cs_error error = *cs_error_last();
    unsigned char bytes[sizeof error];
    memcpy(bytes, &error, sizeof error);
    for (size_t i = 0; i < sizeof bytes; i++)
        team->buffer[i] = team->comm->rank == from ? (double)bytes[i] : 0;
    CS_TRY(cs_team_sum(team, team->buffer, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)team->buffer[i];
    memcpy(&error, bytes, sizeof error);
    return cs_error_restore(&error);
}

cs_status cs_team_agree(cs_team *team, cs_status mine) {
    if (!team || mine == CS_ERR_COMM)
        return mine;
    for (int r = 0; r < team->comm->size; r++)
        team->buffer[r] = r == team->comm->rank ? (double)mine : 0;
    CS_TRY(cs_team_sum(team, team->buffer, (size_t)team->comm->size));
    int from = first_failed(team->buffer, team->comm->size);
    return from < 0 ? CS_OK : fetch_error(team, from);
}
