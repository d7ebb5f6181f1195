/* Hito for C: everything. See README.md; what a client does is written in clients/BEHAVIOUR.md.
 *
 * Threads: a client, its calls and its streams are used by one thread at a time; clients are independent of each other.
 * The library starts no threads, installs no signal handlers, raises no SIGPIPE and keeps no global state. */
#pragma once

#include "hito/call.h"
#include "hito/client.h"
#include "hito/consume.h"
#include "hito/error.h"
#include "hito/log.h"
#include "hito/resume.h"
#include "hito/services.h"
