/* SPDX-License-Identifier: Apache-2.0 */
#include "no_fork.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of `working`; a fork holds it, so that no work begins */
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static int working; /* threads between begin and end */

static void before_fork(void) {
    pthread_mutex_lock(&lock);
    while (working > 0)
        pthread_cond_wait(&idle, &lock);
}

static void after_fork(void) {
    pthread_mutex_unlock(&lock);
}

static void let_forks_wait(void) {
    pthread_atfork(before_fork, after_fork, after_fork);
}

void cs_no_fork_init(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, let_forks_wait);
}

void cs_no_fork_begin(void) {
    pthread_mutex_lock(&lock);
    working++;
    pthread_mutex_unlock(&lock);
}

void cs_no_fork_end(void) {
    pthread_mutex_lock(&lock);
    if (--working == 0)
        pthread_cond_broadcast(&idle);
    pthread_mutex_unlock(&lock);
}
