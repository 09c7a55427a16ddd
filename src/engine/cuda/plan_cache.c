/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_cache.h"

#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The first line: magic, version of the format, and checksum of the rest. */
#define HEAD "cnnsweep plan 1 %016" PRIx64 "\n"
enum { HEAD_SIZE = 16 + 16 + 1, PLAN_LIMIT = 1 << 24 };

static cs_status plan_path(const cu_plan_cache *cache, const char *key, char *path, size_t size) {
    return cs_path(path, size, "%s/%016" PRIx64 ".plan", cache->folder, cs_checksum(key, strlen(key)));
}

/* The beginning of the plan in the text of a file; NULL if the file is damaged or has another key. */
static const char *plan_in(const char *text, const char *key) {
    char head[HEAD_SIZE + 1];
    size_t length = strlen(text), key_length = strlen(key);
    if (length < HEAD_SIZE)
        return NULL;
    const char *rest = text + HEAD_SIZE;
    snprintf(head, sizeof head, HEAD, cs_checksum(rest, strlen(rest)));
    if (strncmp(text, head, HEAD_SIZE) != 0 || strncmp(rest, key, key_length) != 0 || rest[key_length] != '\n')
        return NULL;
    return rest + key_length + 1;
}

char *cu_plan_cache_find(const cu_plan_cache *cache, const char *key) {
    char path[CS_PATH_MAX], *text = NULL;
    size_t size = 0;
    if (!cache->folder || plan_path(cache, key, path, sizeof path) != CS_OK || !cs_file_exists(path))
        return NULL;
    if (cs_file_read(path, PLAN_LIMIT, &text, &size) != CS_OK) {
        cs_log(CS_LOG_DEBUG, "plans: %s", cs_error_last()->text);
        return NULL;
    }
    const char *plan = plan_in(text, key);
    if (plan) {
        memmove(text, plan, strlen(plan) + 1);
        return text;
    }
    cs_log(CS_LOG_DEBUG, "plans: %s is damaged, or not of this convolution: it is made anew", path);
    free(text);
    return NULL;
}

static cs_status write_plan(const cu_plan_cache *cache, const char *key, const char *plan) {
    char path[CS_PATH_MAX];
    size_t size = HEAD_SIZE + strlen(key) + 1 + strlen(plan) + 1;
    CS_TRY(plan_path(cache, key, path, sizeof path));
    CS_TRY(cs_folder_create(cache->folder));
    char *text = NULL;
    CS_TRY(cs_alloc(size, 1, "a plan", &text));
    char *rest = text + HEAD_SIZE;
    snprintf(rest, size - HEAD_SIZE, "%s\n%s", key, plan);
    char first = *rest; /* snprintf ends the head with a NUL, which overwrites the first character of the rest */
    snprintf(text, HEAD_SIZE + 1, HEAD, cs_checksum(rest, strlen(rest)));
    *rest = first;
    cs_status status = cs_file_write(path, text, size - 1);
    free(text);
    return status;
}

void cu_plan_cache_keep(cu_plan_cache *cache, const char *key, const char *plan) {
    if (!cache->folder || cache->failed || write_plan(cache, key, plan) == CS_OK)
        return;
    cache->failed = true;
    cs_log(CS_LOG_WARN, "plans of convolutions are not kept: %s", cs_error_last()->text);
}
