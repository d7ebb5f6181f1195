#pragma once
#include <stddef.h>

/// Drains OpenSSL's error queue into `error`, after `what`. The first entry is the cause.
void hito_drain_errors(const char *what, char *error, size_t error_size);
