/* Subscriptions that outlive connections and servers. */
#pragma once

#include "hito/call.h"
#include "hito/v1/progress.pb-c.h"

HITO_BEGIN_DECLS

/** A watch that reconnects and continues after what it gave: nothing is skipped or given twice. It ends by its caller,
 * or by an error that trying again would not mend (a revoked token, a bad filter, a log that lost events which were
 * given: OUT_OF_RANGE with reason LOG_FORKED, after which hito_watch_cursor is the last place that holds). */
typedef struct hito_watch hito_watch;

/** Begins to watch. Of the options, timeout and key have no effect; `on_ready` is called with NULL or a call that is
 * the watch's: take from the watch. A watch is freed before its client. */
HITO_API hito_watch *hito_watch_begin(
    hito_client *client, const Hito__V1__WatchRequest *request, const hito_call_options *options, hito_error **error);

/** Is told of each interruption, with why; the error is the library's. */
HITO_API void hito_watch_on_interruption(
    hito_watch *watch, void (*told)(void *user, const hito_error *error), void *user);

/** The next response if it is there; never waits. A watch ends with ERROR only. */
HITO_API hito_step hito_watch_take(hito_watch *watch, Hito__V1__WatchResponse **response, hito_error **error);

/** The same, but waits for it. */
HITO_API hito_step hito_watch_next(hito_watch *watch, Hito__V1__WatchResponse **response, hito_error **error);

/** Where it stands, as `after_cursor` for another process; empty before the first response. Valid until the next take. */
HITO_API const char *hito_watch_cursor(const hito_watch *watch);

/** How often the stream broke and was taken up again. */
HITO_API unsigned hito_watch_interruptions(const hito_watch *watch);

/** Ends it. */
HITO_API void hito_watch_free(hito_watch *watch);

HITO_END_DECLS
