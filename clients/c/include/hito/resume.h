/* Subscriptions and validations that outlive connections and servers: they reconnect by themselves and continue after
 * what they gave. Nothing is skipped or given twice. */
#pragma once

#include "hito/call.h"
#include "hito/v1/progress.pb-c.h"
#include "hito/v1/validation.pb-c.h"

HITO_BEGIN_DECLS

/** One of them. It ends by its caller, in its own way, or with an error that trying again would not mend. Freed before
 * its client, with hito_resumed_free. */
typedef struct hito_resumed hito_resumed;

/** Is told of each interruption, with why; the error is the library's. */
HITO_API void hito_resumed_on_interruption(
    hito_resumed *resumed, void (*told)(void *user, const hito_error *error), void *user);

/** How often the stream broke and was taken up again. */
HITO_API unsigned hito_resumed_interruptions(const hito_resumed *resumed);

/** Where it stands; empty before the first response. Valid until the next take. */
HITO_API const char *hito_resumed_cursor(const hito_resumed *resumed);

/** Ends it. NULL is nothing to free. */
HITO_API void hito_resumed_free(hito_resumed *resumed);

/** Begins to watch live progress. It does not end by itself. Where a log lost events which were given it ends with
 * OUT_OF_RANGE and reason LOG_FORKED, and the cursor is the last place that holds. Keep the cursor to continue in another
 * process (`after_cursor`).
 *
 * Of the options, `timeout_ms` has no effect, and a key none that only reads; `on_ready` is called with NULL or a call
 * that is not its caller's: take from what is resumed. So it is for all of them. */
HITO_API hito_resumed *hito_watch_begin(
    hito_client *client, const Hito__V1__WatchRequest *request, const hito_call_options *options, hito_error **error);

/** The next response if it is there; never waits. */
HITO_API hito_step hito_watch_take(hito_resumed *watch, Hito__V1__WatchResponse **response, hito_error **error);

/** The same, but waits for it. */
HITO_API hito_step hito_watch_next(hito_resumed *watch, Hito__V1__WatchResponse **response, hito_error **error);

/** Validates code once, and follows that to its end: the response with `result`. Where another server had to begin anew,
 * `attempt` goes up, and what was given of the attempt before is void. */
HITO_API hito_resumed *hito_validation_begin(
    hito_client *client, const Hito__V1__ValidateCodeRequest *request, const hito_call_options *options,
    hito_error **error);
HITO_API hito_step hito_validation_take(
    hito_resumed *validation, Hito__V1__ValidateCodeResponse **response, hito_error **error);
HITO_API hito_step hito_validation_next(
    hito_resumed *validation, Hito__V1__ValidateCodeResponse **response, hito_error **error);

/** Asks for a batch once, and follows it until each submission has finished or was refused. */
HITO_API hito_resumed *hito_batch_begin(
    hito_client *client, const Hito__V1__ValidateBatchRequest *request, const hito_call_options *options,
    hito_error **error);
HITO_API hito_step hito_batch_take(hito_resumed *batch, Hito__V1__ValidateBatchResponse **response, hito_error **error);
HITO_API hito_step hito_batch_next(hito_resumed *batch, Hito__V1__ValidateBatchResponse **response, hito_error **error);

/** Validates again once, and follows that to its end: the response with `summary`. */
HITO_API hito_resumed *hito_revalidation_begin(
    hito_client *client, const Hito__V1__RevalidateRequest *request, const hito_call_options *options,
    hito_error **error);
HITO_API hito_step hito_revalidation_take(
    hito_resumed *revalidation, Hito__V1__RevalidateResponse **response, hito_error **error);
HITO_API hito_step hito_revalidation_next(
    hito_resumed *revalidation, Hito__V1__RevalidateResponse **response, hito_error **error);

HITO_END_DECLS
